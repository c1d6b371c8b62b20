import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { acquireProcessLock } from '../../../src/queue/process-lock.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** Starts a process that acquires the lock at `path`, prints whether it got it, and runs until it is killed. */
async function startHolder(path: string) {
  const script = `
    import { acquireProcessLock } from ${JSON.stringify(join(ROOT, 'dist/queue/process-lock.js'))};
    const said = acquireProcessLock(process.argv[1]) === null ? 'rejected' : 'held';
    gc(); // The lock must outlive the object, which is not referenced any more.
    console.log(said);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', script, path], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, said: said.toString().trim() };
}

function lockPath(): string {
  return join(temporaryFolder(), 'lock.db');
}

test('a second process is rejected at once, and gets the lock when the first is killed', async () => {
  const path = lockPath();
  const { child, said } = await startHolder(path);
  expect(said).toBe('held');
  const askedAt = performance.now();
  expect(acquireProcessLock(path)).toBeNull();
  expect(performance.now() - askedAt).toBeLessThan(1_000);

  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = acquireProcessLock(path);
  expect(lock).not.toBeNull();
  expect((await startHolder(path)).said).toBe('rejected');
  lock?.release();
});

test('a released lock can be acquired again, and a second release does nothing', () => {
  const path = lockPath();
  const first = acquireProcessLock(path);
  expect(acquireProcessLock(path)).toBeNull();
  first?.release();
  first?.release();
  const second = acquireProcessLock(path);
  expect(second).not.toBeNull();
  second?.release();
});
