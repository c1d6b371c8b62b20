import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { makePlan } from '../../src/inference/plan/compile-plan.ts';
import { workspaceBytesPerPixel } from '../../src/inference/plan/plan-memory.ts';

test.for([
  ['realesr-general-x4v3', 272],
  ['RealESRGAN_x4plus', 4864],
] as const)('%s needs %i bytes of GPU memory for each pixel', ([name, bytes], { skip }) => {
  const path = resolve(import.meta.dirname, `../../models/${name}.onnx`);
  if (!existsSync(path)) skip(`${name} is not installed`);
  expect(workspaceBytesPerPixel(makePlan(readFileSync(path), name))).toBe(bytes);
});
