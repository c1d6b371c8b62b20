import { expect, test } from 'vitest';
import type { WorkerEnd } from '../../../src/daemon/supervisor.ts';
import { logEndOfAttempt, mustRunAlone, requeueJobsOf } from '../../../src/daemon/worker-end.ts';
import { createForwardingLogger } from '../../../src/observability/forwarding-logger.ts';
import { ALICE, claimedJob, newJob, testQueue } from '../queue/queue-fixture.ts';

const CRASH: WorkerEnd = {
  crashed: true,
  hasClaimed: true,
  how: 'signal SIGSEGV',
  notice: 'worker crashed (signal SIGSEGV)',
  wasOwner: (owner) => owner === ALICE,
};

test('a crash with one running job counts as a failed attempt of that job', () => {
  const queue = testQueue();
  const { id } = claimedJob(queue).job;
  expect(mustRunAlone(CRASH, queue)).toBe(false);
  requeueJobsOf(CRASH, { queue, attempts: 3, isCharged: true });
  expect(queue.jobs.getJob(id)).toMatchObject({ state: 'queued', attempts: 1, errorCode: 'WORKER_CRASHED' });
});

test('the last attempt that crashes fails the job permanently', () => {
  const queue = testQueue();
  const { id } = claimedJob(queue).job;
  requeueJobsOf(CRASH, { queue, attempts: 1, isCharged: true });
  expect(queue.jobs.getJob(id)?.state).toBe('failed');
});

test('a crash that is not charged, and a worker that exited in order, cost no attempt', () => {
  for (const [end, isCharged] of [[CRASH, false] as const, [{ ...CRASH, crashed: false }, true] as const]) {
    const queue = testQueue();
    const { id } = claimedJob(queue).job;
    requeueJobsOf(end, { queue, attempts: 3, isCharged });
    expect(queue.jobs.getJob(id)).toMatchObject({ state: 'queued', attempts: 0 });
  }
});

test('after a crash with several running jobs each runs alone; those of framekiln run do not count', () => {
  const queue = testQueue();
  claimedJob(queue);
  const run = queue.jobs.enqueue(newJob({ origin: 'run' })).job.id;
  expect(queue.leases.claim({ owner: ALICE, nowMs: 2_000, leaseMs: 1_000, onlyJobId: run })).not.toBeNull();
  expect(mustRunAlone(CRASH, queue)).toBe(false);
  claimedJob(queue);
  expect(mustRunAlone(CRASH, queue)).toBe(true);
  expect(mustRunAlone({ ...CRASH, crashed: false }, queue)).toBe(false);
});

test.each([
  [3, 'info', 'queued again; will resume from the last checkpoint'],
  [1, 'error', 'failed permanently (WORKER_CRASHED); to try again: framekiln retry 1'],
])('with %i attempts, the log says what becomes of the job after a crash', (attempts, level, message) => {
  const queue = testQueue();
  claimedJob(queue);
  const entries: unknown[] = [];
  const log = createForwardingLogger((entry) => void entries.push(entry));
  for (const job of requeueJobsOf(CRASH, { queue, attempts, isCharged: true })) logEndOfAttempt(job, log);
  expect(entries).toMatchObject([{ level, message, prefix: expect.stringMatching(/\.mp4$/) as string }]);
});
