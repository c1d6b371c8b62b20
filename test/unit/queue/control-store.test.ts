import { expect, test } from 'vitest';
import { LEASE_MS, ALICE, PLAN, claimedJob, newBatch, newJob, testQueue } from './queue-fixture.ts';

function jobWithCheckpoint() {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue);
  queue.progress.setPlan(lease, PLAN, 90);
  queue.batches.commitBatch(lease, newBatch(0), 3_000);
  return { queue, id: job.id, lease };
}

test('pausing a job uses no attempt', () => {
  const queue = testQueue();
  const { job } = claimedJob(queue);
  expect(queue.control.pauseJob(job.id)).toBe(true);
  expect(queue.jobs.getJob(job.id)).toMatchObject({ state: 'paused', attempts: 0 });
  expect(queue.leases.hasClaimable(9)).toBe(false);
  expect(queue.control.resumeJob(job.id)).toBe(true);
  expect(queue.leases.hasClaimable(9)).toBe(true);
});

test('a paused and resumed job keeps its plan and its batches', () => {
  const { queue, id } = jobWithCheckpoint();
  queue.control.pauseJob(id);
  queue.control.resumeJob(id);
  expect(queue.jobs.getJob(id)).toMatchObject({ plan: PLAN, framesTotal: 90, framesDone: 30 });
  expect(queue.batches.listBatches(id)).toHaveLength(1);
});

test('a cancelled job loses its checkpoints and starts over on retry', () => {
  const { queue, id } = jobWithCheckpoint();
  expect(queue.control.cancelJob(id, 4_000)).toBe(true);
  expect(queue.jobs.getJob(id)).toMatchObject({ state: 'cancelled', plan: null, framesDone: 0 });
  expect(queue.batches.listBatches(id)).toEqual([]);
  expect(queue.control.retryJob(id)).toBe(true);
  expect(queue.jobs.getJob(id)).toMatchObject({ state: 'queued', attempts: 0, finishedAtMs: null });
});

test('a failed job resumes from its last checkpoint on retry', () => {
  const { queue, id, lease } = jobWithCheckpoint();
  queue.leases.fail(lease, { code: 'SOURCE_CHANGED', message: 'why', nowMs: 4_000 });
  expect(queue.control.retryJob(id)).toBe(true);
  expect(queue.jobs.getJob(id)).toMatchObject({
    state: 'queued',
    plan: PLAN,
    framesDone: 30,
    errorCode: null,
  });
  expect(queue.batches.listBatches(id)).toHaveLength(1);
});

test('a finished job starts over on retry', () => {
  const { queue, id, lease } = jobWithCheckpoint();
  queue.leases.finish(lease, 4_000);
  expect(queue.control.retryJob(id)).toBe(true);
  expect(queue.jobs.getJob(id)).toMatchObject({ state: 'queued', plan: null, framesDone: 0 });
  expect(queue.batches.listBatches(id)).toEqual([]);
});

test('a new priority changes the order; the priority of an unknown job cannot be set', () => {
  const queue = testQueue();
  queue.jobs.enqueue(newJob());
  const second = queue.jobs.enqueue(newJob()).job;
  expect(queue.control.prioritise(second.id, 1)).toBe(true);
  expect(queue.control.prioritise(999, 1)).toBe(false);
  expect(queue.leases.claim({ owner: ALICE, nowMs: 9, leaseMs: LEASE_MS })?.job.id).toBe(second.id);
});

test('pausing the queue releases all running jobs at once, except those of `run`', () => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue);
  const run = queue.jobs.enqueue(newJob({ origin: 'run' })).job;
  queue.leases.claim({ owner: ALICE, nowMs: 2_000, leaseMs: LEASE_MS, onlyJobId: run.id });
  expect(queue.control.pauseQueue()).toEqual([job.id]);
  expect(queue.jobs.getJob(job.id)).toMatchObject({ state: 'queued', attempts: 0 });
  expect(queue.jobs.getJob(run.id)?.state).toBe('running');
  expect(queue.leases.renew(lease, 2_001, LEASE_MS)).toBe(false);
  expect(queue.leases.hasClaimable(2_001)).toBe(false);
});
