import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ensureHome, homeAt } from '../../../src/config/home.ts';
import { withHealthyQueue } from '../../../src/daemon/with-healthy-queue.ts';
import { DatabaseDamagedError } from '../../../src/domain/errors.ts';
import { createForwardingLogger } from '../../../src/observability/forwarding-logger.ts';
import type { Queue } from '../../../src/queue/queue.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { newJob } from '../queue/queue-fixture.ts';

function setUp() {
  const home = homeAt(temporaryFolder());
  ensureHome(home);
  const lines: string[] = [];
  const stop = new AbortController();
  const options = {
    home,
    log: createForwardingLogger(({ message }) => lines.push(message)),
    signal: stop.signal,
  };
  return { home, lines, stop, options };
}

test('passes the open queue on, returns the result and closes the queue', async () => {
  const { options } = setUp();
  const queues: Queue[] = [];
  const use = (queue: Queue): Promise<number> => {
    queues.push(queue);
    return Promise.resolve(queue.jobs.listJobs().length);
  };
  expect(await withHealthyQueue({ ...options, use })).toBe(0);
  expect(() => queues[0]?.jobs.listJobs()).toThrow(/not open/);
});

test('replaces a database that is damaged while it is used', async () => {
  const { home, lines, options } = setUp();
  let uses = 0;
  const use = (queue: Queue): Promise<number> => {
    if (++uses === 2) return Promise.resolve(queue.jobs.listJobs().length);
    queue.jobs.enqueue(newJob());
    queue.close();
    writeFileSync(home.databaseFile, 'This is not a database.');
    throw new DatabaseDamagedError('The worker could not read the database.');
  };
  expect(await withHealthyQueue({ ...options, use })).toBe(0);
  expect(lines).toEqual([
    'the database is damaged: The worker could not read the database',
    expect.stringMatching(/^the database is damaged \(.*renamed it to .*framekiln\.db\.damaged-/),
  ]);
});

test('blames the disk after the fourth damage', async () => {
  const { options, lines } = setUp();
  const use = () => Promise.reject(new DatabaseDamagedError('The database is damaged.'));
  await expect(withHealthyQueue({ ...options, use })).rejects.toThrow(/damaged 4 times .* check the disk/);
  expect(lines).toHaveLength(5);
});

test('waits for a database that cannot be written, until it is stopped', async () => {
  const { options, lines, stop } = setUp();
  const use = () =>
    Promise.reject(Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' }));
  const ended = withHealthyQueue({ ...options, use });
  while (lines.length === 0) await delay(5);
  stop.abort();
  expect(await ended).toBeNull();
  expect(lines).toEqual(['cannot use the queue: database or disk is full; retrying']);
});

test('passes on every other error', async () => {
  const { options } = setUp();
  const use = () => Promise.reject(new TypeError('a bug'));
  await expect(withHealthyQueue({ ...options, use })).rejects.toThrow(TypeError);
});
