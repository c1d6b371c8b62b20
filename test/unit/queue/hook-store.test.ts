import { expect, test } from 'vitest';
import { newJob, claimedJob, LEASE_MS, testQueue } from './queue-fixture.ts';

const FAILURE = { code: 'X', message: 'Broken.', nowMs: 5_000 };

test('the end of a job is a run for each channel, as it was then', () => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue);
  queue.leases.fail(lease, FAILURE);
  queue.control.retryJob(job.id);
  const { sourcePath, outputPath } = job;
  const end = {
    jobId: job.id,
    state: 'failed',
    sourcePath,
    outputPath,
    errorCode: 'X',
    errorMessage: 'Broken.',
    atMs: 5_000,
  };
  const [program, webhook] = (['program', 'webhook'] as const).map((name) =>
    queue.hooks.nextDue(name, 6_000),
  );
  expect(program).toEqual({ id: 1, attempts: 0, ...end });
  expect(webhook).toEqual({ id: 2, attempts: 0, ...end });
  queue.hooks.remove(1);
  expect(queue.hooks.nextDue('program', 6_000)).toBeNull();
  expect(queue.hooks.nextDue('webhook', 6_000)).toEqual(webhook);
});

test('a job that is requeued, cancelled or paused has not ended, nor has one restored from its report', () => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue);
  queue.leases.failAttempt(lease, { ...FAILURE, maxAttempts: 2 });
  queue.control.cancelJob(job.id, 5_000);
  queue.jobs.restoreDone({ ...newJob(), id: 99, framesTotal: 1 }, 5_000);
  const claimed = claimedJob(queue);
  queue.control.pauseJob(claimed.job.id);
  expect(queue.hooks.nextDue('program', 6_000)).toBeNull();
});

test('the last failed attempt of a job is its end', () => {
  const queue = testQueue();
  const { lease } = claimedJob(queue);
  queue.leases.failAttempt(lease, { ...FAILURE, maxAttempts: 1 });
  expect(queue.hooks.nextDue('program', 6_000)).toMatchObject({ state: 'failed', errorCode: 'X' });
});

test.each(['run', 'watch'] as const)('only the end of a job of the daemon is told (%s)', (origin) => {
  const queue = testQueue();
  const { job } = queue.jobs.enqueue(newJob({ origin }));
  const request = { owner: '101:1:aa', nowMs: 2_000, leaseMs: LEASE_MS, onlyJobId: job.id };
  const claimed = queue.leases.claim(request);
  if (claimed !== null) queue.leases.finish(claimed.lease, 3_000);
  expect(queue.jobs.getJob(job.id)?.state).toBe('done');
  expect(queue.hooks.nextDue('webhook', 6_000) === null).toBe(origin === 'run');
});

test('a run waits for its next attempt, but not for a clock that was set back', () => {
  const queue = testQueue();
  const { lease } = claimedJob(queue);
  queue.leases.finish(lease, 3_000);
  queue.hooks.countAttempt(2, 20_000);
  expect(queue.hooks.nextDue('webhook', 19_999)).toBeNull();
  expect(queue.hooks.nextDue('webhook', 20_000)).toMatchObject({ attempts: 1 });
  expect(queue.hooks.nextDue('webhook', 20_000 - 3_600_001)).toMatchObject({ attempts: 1 });
});
