import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import SqliteDatabase from 'better-sqlite3';
import { LeaseLostError } from '../../../src/domain/errors.ts';
import type { Lease } from '../../../src/domain/job.ts';
import type { Queue } from '../../../src/queue/queue.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import {
  ALICE,
  BOB,
  LEASE_MS,
  PLAN,
  VIDEO,
  claimedJob,
  newBatch,
  newJob,
  testQueue,
} from './queue-fixture.ts';

const FAILURE = { code: 'ENGINE_FAILED', message: 'The model crashed.', maxAttempts: 3 };
const NO_BLAME = {
  countAttempt: false,
  notBeforeAtMs: null,
  note: null,
  errorCode: null,
  errorMessage: null,
};

function claim(queue: Queue, nowMs: number, owner = ALICE) {
  return queue.leases.claim({ owner, nowMs, leaseMs: LEASE_MS });
}

test('claims by priority, then arrival, each job once', () => {
  const queue = testQueue();
  const priorities = [0, 5, -1, 5, 0];
  const ids = priorities.map((priority) => queue.jobs.enqueue(newJob({ priority })).job.id);
  const order = ids.map(() => claim(queue, 1)?.job.id);
  expect(order).toEqual([ids[1], ids[3], ids[0], ids[4], ids[2]]);
  expect(queue.leases.hasClaimable(1)).toBe(false);
  expect(claim(queue, 1)).toBeNull();
});

test('a job that the claimer excludes is left for a later claim', () => {
  const queue = testQueue();
  const [first, second] = [1, 2].map(() => queue.jobs.enqueue(newJob()).job.id);
  const request = { owner: ALICE, nowMs: 1, leaseMs: LEASE_MS };
  expect(queue.leases.claim({ ...request, except: [first ?? 0] })?.job.id).toBe(second);
  expect(queue.leases.claim({ ...request, except: [first ?? 0] })).toBeNull();
  expect(queue.leases.claim(request)?.job.id).toBe(first);
});

test('two connections that claim in turn never get the same job', () => {
  const path = join(temporaryFolder(), 'queue.db');
  const queues = [testQueue(path), testQueue(path)];
  for (let i = 0; i < 20; i += 1) queues[0]?.jobs.enqueue(newJob());
  const taken = Array.from({ length: 10 }, () => queues.map((queue) => claim(queue, 1)?.job.id)).flat();
  expect(new Set(taken).size).toBe(20);
});

test('in a paused queue only `run` can claim its job; no other process can claim a job of `run`', () => {
  const queue = testQueue();
  const watched = queue.jobs.enqueue(newJob()).job;
  const own = queue.jobs.enqueue(newJob({ origin: 'run', priority: 9 })).job;
  queue.control.pauseQueue();
  expect(queue.control.isQueuePaused()).toBe(true);
  expect(claim(queue, 1)).toBeNull();
  const request = { owner: BOB, nowMs: 1, leaseMs: LEASE_MS, onlyJobId: own.id };
  expect(queue.leases.claim(request)?.job.id).toBe(own.id);
  queue.control.resumeQueue();
  expect(claim(queue, 1)?.job.id).toBe(watched.id);
});

test('a claim records the start, counts the attempt and ends a wait', () => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue, ALICE, 2_000);
  expect(job).toMatchObject({ state: 'running', attempts: 1, startedAtMs: 2_000 });
  queue.leases.release(lease, { ...NO_BLAME, notBeforeAtMs: 9_000, note: 'waiting: disk' });
  expect(queue.jobs.getJob(job.id)).toMatchObject({ state: 'queued', attempts: 0, note: 'waiting: disk' });

  expect(claim(queue, 8_999)).toBeNull();
  expect(queue.leases.hasClaimable(9_000)).toBe(true);
  expect(claim(queue, 9_000)?.job).toMatchObject({ note: null, notBeforeAtMs: null, startedAtMs: 2_000 });
});

test('a clock that was set back does not prolong a wait', () => {
  const queue = testQueue();
  const day = 24 * 3_600_000;
  const { lease } = claimedJob(queue, ALICE, day);
  queue.leases.release(lease, { ...NO_BLAME, notBeforeAtMs: day + 30_000 });
  expect(claim(queue, day + 29_999)).toBeNull();
  expect(queue.leases.hasClaimable(1_000)).toBe(true);
  expect(queue.leases.hasClaimable(1_000, lease.jobId)).toBe(true);
  expect(queue.leases.hasClaimable(1_000, lease.jobId + 1)).toBe(false);
  expect(claim(queue, 1_000)).not.toBeNull();
});

test('the third failed attempt fails the job permanently with its reason, after growing waits', () => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue, ALICE, 0);
  expect(queue.leases.failAttempt(lease, { ...FAILURE, nowMs: 0 })).toBe('queued');
  const second = claim(queue, 2_000);
  expect(second?.job.errorCode).toBe(FAILURE.code);
  expect(queue.leases.failAttempt(second?.lease ?? lease, { ...FAILURE, nowMs: 2_000 })).toBe('queued');
  expect(claim(queue, 9_999)).toBeNull();
  const third = claim(queue, 10_000);
  expect(queue.leases.failAttempt(third?.lease ?? lease, { ...FAILURE, nowMs: 10_000 })).toBe('failed');
  expect(queue.jobs.getJob(job.id)).toMatchObject({
    state: 'failed',
    attempts: 3,
    errorCode: FAILURE.code,
    errorMessage: FAILURE.message,
    finishedAtMs: 10_000,
    stage: null,
  });
});

test('a finished job is done and shows no error of an earlier attempt', () => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue, ALICE, 0);
  queue.leases.failAttempt(lease, { ...FAILURE, nowMs: 0 });
  queue.leases.finish(claim(queue, 5_000)?.lease ?? lease, 6_000);
  expect(queue.jobs.getJob(job.id)).toMatchObject({ state: 'done', errorCode: null, finishedAtMs: 6_000 });
});

/** All writes of a worker; each must be rejected once the lease is lost. */
const GUARDED_WRITES: Readonly<Record<string, (queue: Queue, lease: Lease) => void>> = {
  release: (queue, lease) => queue.leases.release(lease, NO_BLAME),
  failAttempt: (queue, lease) => void queue.leases.failAttempt(lease, { ...FAILURE, nowMs: 5 }),
  fail: (queue, lease) => queue.leases.fail(lease, { ...FAILURE, nowMs: 5 }),
  finish: (queue, lease) => queue.leases.finish(lease, 5),
  setPlan: (queue, lease) => queue.progress.setPlan(lease, PLAN, 90),
  setVideo: (queue, lease) => queue.progress.setVideo(lease, VIDEO),
  setStage: (queue, lease) => queue.progress.setStage(lease, 'frames'),
  setProgress: (queue, lease) =>
    queue.progress.setProgress(lease, { framesDone: 1, framesPerSecond: 2, etaAtMs: 3 }),
  setPublished: (queue, lease) => queue.progress.setPublished(lease, '/out/x.mkv', 1),
  commitBatch: (queue, lease) => queue.batches.commitBatch(lease, newBatch(0), 5),
  removeBatch: (queue, lease) => queue.batches.removeBatch(lease, 0),
};

const WAYS_TO_LOSE: Readonly<Record<string, (queue: Queue, lease: Lease) => void>> = {
  'claimed again by the same owner': (queue, lease) => {
    queue.leases.release(lease, NO_BLAME);
    const next = claim(queue, 4_000)?.lease;
    queue.batches.commitBatch(next ?? lease, newBatch(0), 4_000);
  },
  paused: (queue, lease) => void queue.control.pauseJob(lease.jobId),
  cancelled: (queue, lease) => void queue.control.cancelJob(lease.jobId, 4_000),
  'swept after its lease ran out': (queue) =>
    void queue.sweepLeases({ isOwnerAlive: () => true, nowMs: 2_000 + LEASE_MS, failure: null }),
};

const LOST_WRITES = Object.keys(WAYS_TO_LOSE).flatMap((way) =>
  Object.keys(GUARDED_WRITES).map((write) => [way, write] as const),
);

test.each(LOST_WRITES)('once its job is %s, a worker’s %s writes nothing', (way, write) => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue, ALICE, 2_000);
  WAYS_TO_LOSE[way]?.(queue, lease);
  const before = [queue.jobs.getJob(job.id), queue.batches.listBatches(job.id)];
  expect(() => GUARDED_WRITES[write]?.(queue, lease)).toThrow(LeaseLostError);
  expect(queue.leases.renew(lease, 5_000, LEASE_MS)).toBe(false);
  expect([queue.jobs.getJob(job.id), queue.batches.listBatches(job.id)]).toEqual(before);
});

test.each(Object.keys(GUARDED_WRITES))('%s by the holder of the lease is written', (write) => {
  const queue = testQueue();
  const { lease } = claimedJob(queue);
  if (write === 'removeBatch') queue.batches.commitBatch(lease, newBatch(0), 3_000);
  const before = [queue.jobs.getJob(lease.jobId), queue.batches.listBatches(lease.jobId)];
  GUARDED_WRITES[write]?.(queue, lease);
  expect([queue.jobs.getJob(lease.jobId), queue.batches.listBatches(lease.jobId)]).not.toEqual(before);
});

test('a sweep takes back the jobs of dead workers and leaves those of living ones', () => {
  const queue = testQueue();
  const dead = claimedJob(queue, ALICE, 0);
  const living = claimedJob(queue, BOB, 0);
  const isOwnerAlive = (owner: string) => owner === BOB;
  expect(queue.sweepLeases({ isOwnerAlive, nowMs: 1, failure: null })).toEqual([dead.job.id]);
  expect(queue.jobs.getJob(dead.job.id)).toMatchObject({ state: 'queued', attempts: 0, notBeforeAtMs: null });
  expect(queue.jobs.getJob(living.job.id)?.state).toBe('running');
});

test('a renewed lease does not expire; an expired one is swept even if its owner is alive', () => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue, ALICE, 0);
  expect(queue.leases.renew(lease, 10_000, LEASE_MS)).toBe(true);
  const sweepAt = (nowMs: number) => queue.sweepLeases({ isOwnerAlive: () => true, nowMs, failure: null });
  expect(sweepAt(10_000 + LEASE_MS - 1)).toEqual([]);
  expect(sweepAt(10_000 + LEASE_MS)).toEqual([job.id]);
});

test('a job whose worker crashes three times without committing a batch fails permanently', () => {
  const queue = testQueue();
  const { job } = claimedJob(queue, ALICE, 0);
  const die = (nowMs: number) => queue.sweepLeases({ isOwnerAlive: () => false, nowMs, failure: FAILURE });
  die(0);
  claim(queue, 10_000);
  die(10_000);
  claim(queue, 100_000);
  die(100_000);
  expect(queue.jobs.getJob(job.id)).toMatchObject({ state: 'failed', attempts: 3, errorCode: FAILURE.code });
});

test('a sweep that finds nothing does not wait for a process that writes', () => {
  const path = join(temporaryFolder(), 'queue.db');
  const queue = testQueue(path);
  queue.jobs.enqueue(newJob());
  claim(queue, 1);
  const writer = new SqliteDatabase(path);
  onTestFinished(() => void writer.close());
  writer.exec('BEGIN IMMEDIATE');
  // Otherwise it would sleep for five seconds, and fail.
  expect(queue.sweepLeases({ isOwnerAlive: () => true, nowMs: 2, failure: null })).toEqual([]);
});
