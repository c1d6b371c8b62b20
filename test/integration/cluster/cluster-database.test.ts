import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createClusterDatabase } from '../../../src/cluster/cluster-database.ts';
import { connect, type Connection } from '../../../src/cluster/connect.ts';
import {
  queueOf,
  type BatchTask,
  type FinishedBatch,
  type VideoSetup,
} from '../../../src/cluster/protocol.ts';
import { startPostgres, whyNoPostgres } from '../../helpers/postgres.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';

/* The statements of a cluster on a real PostgreSQL. */

const missing = whyNoPostgres();
let url: string;
let stop = (): void => undefined;
beforeAll(async () => {
  if (missing === null) ({ url } = await startPostgres((end) => (stop = end)));
});
afterAll(() => stop());

const name =
  missing === null ? 'the database of a cluster' : `the database of a cluster (skipped: ${missing})`;

describe.skipIf(missing !== null)(name, () => {
  it('is set up by two machines at once', async () => {
    const [one, two] = await Promise.all([open(), open()]);
    expect(await one.database.clusterId()).toBe(await two.database.clusterId());
  });

  it('says what is wrong with its address, without the password', async () => {
    const wrong = url.replace('kiln@', 'kiln:secret@').replace(/postgres$/, 'missing');
    const error: unknown = await connect(wrong, silentLogger).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'BAD_CONFIGURATION' });
    expect(String(error)).toMatch(/kiln:\*\*\*@.*refuses access.*"missing" does not exist/);
  });

  it('gives each batch to one worker, however often it is added', async () => {
    const { database } = await open();
    const video = await openVideo(database, 3);
    await database.addTasks(video, ranges(3));
    const taken = [];
    for (let task; (task = await database.takeTask(video)) !== null;) taken.push(task.range.number);
    expect(taken.toSorted()).toEqual([0, 1, 2]);
    await database.addTasks(video, ranges(3));
    expect(await database.takeTask(video)).toBeNull();
  });

  it('says that batches are scarce while fewer wait than workers are connected', async () => {
    const { database, connection } = await open();
    await openVideo(database, 2);
    const isScarce = async () => (await database.waitingVideos()).map((each) => each.isScarce);
    expect(await isScarce()).toEqual([false]);
    for (const name of ['one', 'two', 'three'])
      await database.reportWorker({ name, version: '1', refusals: {}, work: null });
    expect(await isScarce()).toEqual([true]);
    await connection.pool.query(
      "UPDATE framekiln_cluster.workers SET seen_at = now() - interval '1 hour' WHERE name = 'three'",
    );
    expect(await isScarce()).toEqual([false]);
    for (const name of ['one', 'two', 'three']) await database.removeWorker(name);
  });

  it('knows which batches the queue has lost', async () => {
    const { database, connection } = await open();
    const video = await openVideo(database, 4);
    const task = await take(database, video);
    expect(await database.complete(video, task, finished('one'))).toBe(true);
    await take(database, video);
    expect(await database.batchesWithoutTask(video, [0, 1, 2, 3])).toEqual([]);
    await connection.pool.query("DELETE FROM framekiln_queue.job WHERE name = $1 AND data->>'number' = '2'", [
      queueOf(video),
    ]);
    expect(await database.batchesWithoutTask(video, [0, 1, 2, 3])).toEqual([2]);
    await database.removeQueue(video);
    expect(await database.batchesWithoutTask(video, [0, 1, 2, 3])).toEqual([1, 2, 3]);
  });

  it('refuses the result of a worker that was silent for too long', async () => {
    const { database, connection } = await open();
    const video = await openVideo(database, 1);
    const stale = await take(database, video);
    await loseHeartbeats(connection, video);
    await expect.poll(() => database.waitingVideos(), { timeout: 15_000 }).toHaveLength(1);
    const current = await take(database, video);
    expect(current.id).toBe(stale.id);

    expect(await database.touch(video, stale)).toBe(false);
    expect(await database.complete(video, stale, finished('stale'))).toBe(false);
    expect(await database.finishedBatches(video, [0])).toEqual([]);
    expect(await database.touch(video, current)).toBe(true);
    expect(await database.complete(video, current, finished('current'))).toBe(true);
    expect(await database.complete(video, stale, finished('stale'))).toBe(false);
    expect(await database.finishedBatches(video, [0])).toEqual([finished('current')]);
    // A worker that does not know whether its completion was written asks again.
    expect(await database.complete(video, current, finished('current'))).toBe(true);
  });

  it('refuses results for a video that was removed', async () => {
    const { database } = await open();
    const video = await openVideo(database, 1);
    const task = await take(database, video);
    await database.removeQueue(video);
    await database.removeQueue(video);
    expect(await database.touch(video, task)).toBe(false);
    expect(await database.complete(video, task, finished('late'))).toBe(false);
    await database.fail(video, task, { code: 'X', message: 'late' });
    expect(await database.takeTask(video)).toBeNull();
  });

  it('knows the error of a batch that failed on every attempt', async () => {
    const { database } = await open();
    const video = await openVideo(database, 1);
    for (let attempt = 0; attempt < 10; attempt++)
      await database.fail(video, await take(database, video), {
        code: 'ENCODER_FAILED',
        message: `no ${attempt}`,
      });
    expect(await database.takeTask(video)).toBeNull();
    expect(await database.failedBatch(video)).toEqual({ number: 0, code: 'ENCODER_FAILED', message: 'no 9' });
  });
});

type Database = ReturnType<typeof createClusterDatabase>;

async function open(): Promise<{ database: Database; connection: Connection }> {
  const connection = await connect(url, silentLogger);
  onTestFinished(() => connection.close());
  return { database: createClusterDatabase(connection), connection };
}

let videos = 0;

/** Opens a video with a number of batches of 4 frames. @returns its key */
async function openVideo(database: Database, batches: number): Promise<string> {
  const key = String(++videos).padStart(32, '0');
  await database.openVideo({ key, homeId: 'home', jobId: videos, name: 'clip.mp4' } as VideoSetup);
  await database.addTasks(key, ranges(batches));
  onTestFinished(async () => {
    await database.removeQueue(key);
    await database.removeVideo(key);
  });
  return key;
}

function ranges(count: number) {
  return Array.from({ length: count }, (_, number) => ({ number, firstFrame: 4 * number, frameCount: 4 }));
}

async function take(database: Database, video: string): Promise<BatchTask> {
  const task = await database.takeTask(video);
  if (task === null) throw new Error('No batch waits.');
  return task;
}

function finished(worker: string): FinishedBatch {
  const segment = { segmentKey: `segments/${worker}`, segmentSha256: '0'.repeat(64), encoder: 'libx264' };
  return { number: 0, frameCount: 4, ...segment, elapsedMs: 1, framesReused: null, worker };
}

/** As if the worker of each batch had been silent for an hour. */
async function loseHeartbeats({ pool }: Connection, video: string): Promise<void> {
  await pool.query(
    `UPDATE framekiln_queue.job SET heartbeat_on = heartbeat_on - interval '1 hour' WHERE name = $1 AND state = 'active'`,
    [queueOf(video)],
  );
}
