import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { isWithin } from '../../../src/lib/process/process-tree.ts';

it('recognises the descendants of a process at any depth', async () => {
  const shell = spawn('sh', ['-c', 'sleep 60 & echo $!; wait'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const [line] = (await once(shell.stdout, 'data')) as [Buffer];
  const grandchild = Number(line);
  const child = shell.pid ?? 0;
  expect([isWithin(grandchild, process.pid), isWithin(child, process.pid)]).toEqual([true, true]);
  expect(isWithin(process.pid, process.pid)).toBe(true);
  expect([isWithin(process.ppid, process.pid), isWithin(child, grandchild)]).toEqual([false, false]);
  process.kill(-child, 'SIGKILL');
  await once(shell, 'close');
  expect(isWithin(child, process.pid)).toBe(false);
});
