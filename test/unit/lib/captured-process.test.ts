import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { startCaptured } from '../../../src/lib/process/captured-process.ts';

const OPTIONS = { env: { PATH: process.env['PATH'] ?? '' }, timeoutMs: 4_000 };
const shell = (script: string) => startCaptured(['sh', '-c', script], OPTIONS);

it('ends with the program, also when a process that it left behind keeps its output open', async () => {
  const end = await shell('setsid sleep 30 & echo $!').ended;
  expect(end).toMatchObject({ outcome: 'exited', exitCode: 0 });
  execFileSync('kill', [end.stdout.trim()]);
});

it('captures the last output of a program', async () => {
  const { stdout } = await shell('seq 20000').ended;
  expect(stdout.endsWith('19999\n20000\n')).toBe(true);
});

it('a program that is ended is gone soon, whatever it has started', async () => {
  const child = shell(`trap '' TERM; setsid sleep 30 & echo $!; wait; sleep 30`);
  await child.saw(/\n/);
  const { outcome, stdout } = await child.end();
  expect(outcome).toBe('killed');
  execFileSync('kill', [stdout.trim()]);
});
