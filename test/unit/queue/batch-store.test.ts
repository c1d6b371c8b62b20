import { expect, test } from 'vitest';
import { ALICE, LEASE_MS, claimedJob, newBatch, testQueue } from './queue-fixture.ts';

test('a committed batch is read back unchanged', () => {
  const queue = testQueue();
  const { lease } = claimedJob(queue);
  const batch = newBatch(0);
  queue.batches.commitBatch(lease, batch, 5_000);
  expect(queue.batches.listBatches(lease.jobId)).toEqual([{ ...batch, committedAtMs: 5_000 }]);
});

test('framesDone is reset to the committed batches by each commit and removal', () => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue);
  const framesDone = () => queue.jobs.getJob(job.id)?.framesDone;
  queue.batches.commitBatch(lease, newBatch(0), 1);
  queue.progress.setProgress(lease, { framesDone: 41, framesPerSecond: 3, etaAtMs: 9 });
  expect(framesDone()).toBe(41);
  queue.batches.commitBatch(lease, newBatch(1), 2);
  expect(framesDone()).toBe(60);
  queue.batches.removeBatch(lease, 0);
  expect(framesDone()).toBe(30);
  expect(queue.batches.listBatches(job.id).map((batch) => batch.number)).toEqual([1]);
});

test('a committed batch resets the attempts', () => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue, ALICE, 0);
  const failure = { code: 'ENGINE_FAILED', message: 'why', maxAttempts: 2 };
  queue.batches.commitBatch(lease, newBatch(0), 1);
  expect(queue.leases.failAttempt(lease, { ...failure, nowMs: 0 })).toBe('queued');
  for (const [nowMs, state] of [
    [100_000, 'queued'],
    [200_000, 'failed'],
  ] as const) {
    const next = queue.leases.claim({ owner: ALICE, nowMs, leaseMs: LEASE_MS });
    expect(queue.leases.failAttempt(next?.lease ?? lease, { ...failure, nowMs })).toBe(state);
  }
  expect(queue.jobs.getJob(job.id)?.attempts).toBe(2);
});

test('the same batch cannot be committed twice', () => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue);
  queue.batches.commitBatch(lease, newBatch(0), 1);
  expect(() => queue.batches.commitBatch(lease, newBatch(0), 2)).toThrow('UNIQUE');
  expect(queue.jobs.getJob(job.id)?.framesDone).toBe(30);
});
