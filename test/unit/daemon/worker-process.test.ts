import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { WorkerProcess, type WorkerExit } from '../../../src/daemon/worker-process.ts';
import { createForwardingLogger } from '../../../src/observability/forwarding-logger.ts';
import type { LogEntry } from '../../../src/observability/log-entry.ts';
import type { RootLogger } from '../../../src/observability/logger.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** Starts a worker whose program is a script. */
function startWorker(script: string, silenceMs = 30_000) {
  const file = join(temporaryFolder(), 'worker.mjs');
  writeFileSync(file, script);
  const entries: LogEntry[] = [];
  const write = (entry: LogEntry): void => void entries.push(entry);
  const log: RootLogger = { ...createForwardingLogger(write), write, close: () => Promise.resolve() };
  const start = { homeRoot: '/nowhere', onlyJobId: null, alone: true, umask: 0o022, flags: [] };
  const worker = new WorkerProcess({ start, log, program: pathToFileURL(file), silenceMs });
  return { worker, entries };
}

/** A script that never exits on its own and runs `reaction` for each message. */
const waiting = (reaction: string): string => `process.on('message', (message) => { ${reaction} });`;

test.each<[string, string, Omit<WorkerExit, 'hasClaimed' | 'notice'>]>([
  ['an exit with 0', 'process.exit(0);', { crashed: false, how: 'exit code 0' }],
  ['another exit code', 'process.exit(7);', { crashed: true, how: 'exit code 7' }],
  ['a signal', `process.kill(process.pid, 'SIGKILL');`, { crashed: true, how: 'signal SIGKILL' }],
  [
    'an error after its jobs were released',
    `process.send({ kind: 'released' }, () => process.exit(7));`,
    { crashed: false, how: 'exit code 7' },
  ],
])('describes %s', async (_, script, exit) => {
  const notice = `worker crashed (${exit.how})`;
  expect(await startWorker(script).worker.exit).toEqual({ ...exit, hasClaimed: false, notice });
});

test('describes a worker that cannot be started', async () => {
  const { execPath } = process;
  onTestFinished(() => void (process.execPath = execPath));
  process.execPath = '/nowhere/node';
  expect(await startWorker('').worker.exit).toMatchObject({
    crashed: true,
    notice: 'cannot start the worker: spawn /nowhere/node ENOENT',
  });
});

test('passes the start options on, and logs what the worker sends and prints', async () => {
  const { worker, entries } = startWorker(`
    const { alone } = JSON.parse(process.argv[2]);
    process.stderr.write('\\u001b[31mout of memory\\u001b[0m\\n\\n');
    process.send({ kind: 'damaged' });
    process.send({ kind: 'claimed' });
    process.send({ kind: 'log', entry: { atMs: 1, level: 'info', prefix: null, message: String(alone) } });
    process.disconnect();`);
  expect(await worker.exit).toMatchObject({ crashed: false, hasClaimed: true, how: 'exit code 0' });
  await expect
    .poll(() => entries.map(({ message }) => message).sort())
    .toEqual(['true', 'worker: out of memory']);
  expect(worker.foundDamage).toBe(true);
});

test('kills a worker that is silent for too long', async () => {
  const { worker } = startWorker(waiting(''), 600);
  expect(await worker.exit).toMatchObject({ crashed: true, how: 'no heartbeat for 0.6 s' });
});

test('stops a worker as soon as it has released its jobs; that is not a crash', async () => {
  const { worker, entries } = startWorker(
    `${waiting(`if (message.kind === 'stop') process.send({ kind: 'released' });`)} console.error('ready');`,
  );
  await expect.poll(() => entries.length).toBe(1);
  const startedAtMs = performance.now();
  await Promise.all([worker.stop(), worker.stop()]);
  expect(await worker.exit).toMatchObject({ crashed: false, how: 'signal SIGKILL' });
  expect(performance.now() - startedAtMs).toBeLessThan(900);
});

test('kills a worker that ignores the request to stop', async () => {
  const { worker } = startWorker(waiting(''));
  await worker.stop();
  expect(await worker.exit).toMatchObject({ crashed: false, how: 'signal SIGKILL' });
});
