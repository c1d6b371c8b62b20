import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { NATIVE_PROGRAM, whyNoNativeProgram } from '../helpers/native-program.ts';

test('every emulated kernel agrees with its CPU reference on new random numbers', ({ skip }) => {
  if (whyNoNativeProgram !== null) skip(whyNoNativeProgram);
  const { status, stdout, stderr } = spawnSync(NATIVE_PROGRAM, ['test'], { encoding: 'utf8' });
  // The output names the seed that repeats a failure.
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/^\d+ passed, 0 failed$/m);
});
