import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LeaseLostError } from '../../../src/domain/errors.ts';
import type { JobState, Lease } from '../../../src/domain/job.ts';
import type { Queue } from '../../../src/queue/queue.ts';
import { ALICE, LEASE_MS, newBatch, newJob, testQueue } from './queue-fixture.ts';

/** The transitions documented in domain/job.ts. */
const EDGES: Readonly<Record<JobState, readonly JobState[]>> = {
  queued: ['running', 'paused', 'cancelled'],
  running: ['queued', 'done', 'failed', 'paused', 'cancelled'],
  paused: ['queued', 'cancelled'],
  done: ['queued'],
  failed: ['cancelled', 'queued'],
  cancelled: ['queued'],
};

interface World {
  readonly queue: Queue;
  readonly jobId: number;
  nowMs: number;
  /** The last lease that was granted; it may be lost by now. */
  lease: Lease;
  batchNumber: number;
}

const FAILURE = { code: 'ENGINE_FAILED', message: 'why', maxAttempts: 3 };

const OPERATIONS: Readonly<Record<string, (world: World) => void>> = {
  wait: (world) => void (world.nowMs += 20_000),
  claim: (world) => {
    const claimed = world.queue.leases.claim({ owner: ALICE, nowMs: world.nowMs, leaseMs: LEASE_MS });
    if (claimed !== null) world.lease = claimed.lease;
  },
  commit: ({ queue, lease, nowMs, ...world }) =>
    queue.batches.commitBatch(lease, newBatch(world.batchNumber), nowMs),
  release: ({ queue, lease, nowMs }) =>
    queue.leases.release(lease, {
      countAttempt: false,
      notBeforeAtMs: nowMs,
      note: null,
      errorCode: null,
      errorMessage: null,
    }),
  failAttempt: ({ queue, lease, nowMs }) => void queue.leases.failAttempt(lease, { ...FAILURE, nowMs }),
  fail: ({ queue, lease, nowMs }) => queue.leases.fail(lease, { ...FAILURE, nowMs }),
  finish: ({ queue, lease, nowMs }) => queue.leases.finish(lease, nowMs),
  pause: ({ queue, jobId }) => void queue.control.pauseJob(jobId),
  resume: ({ queue, jobId }) => void queue.control.resumeJob(jobId),
  cancel: ({ queue, jobId, nowMs }) => void queue.control.cancelJob(jobId, nowMs),
  retry: ({ queue, jobId }) => void queue.control.retryJob(jobId),
  sweep: ({ queue, nowMs }) => void queue.sweepLeases({ isOwnerAlive: () => true, nowMs, failure: FAILURE }),
};

test('under any sequence of operations a job makes only documented transitions, and its columns stay consistent', () => {
  const queue = testQueue();
  const reached = new Set<string>();
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...Object.keys(OPERATIONS)), { maxLength: 40 }), (operations) => {
      const { job } = queue.jobs.enqueue(newJob());
      const world: World = {
        queue,
        jobId: job.id,
        nowMs: 1_000,
        lease: { jobId: job.id, owner: ALICE, token: 0 },
        batchNumber: 0,
      };
      let before = job;
      for (const name of operations) {
        world.batchNumber += 1;
        try {
          OPERATIONS[name]?.(world);
        } catch (error) {
          expect(error, name).toBeInstanceOf(LeaseLostError);
        }
        const after = queue.jobs.getJob(job.id) ?? before;
        if (after.state !== before.state) {
          expect(EDGES[before.state], name).toContain(after.state);
          reached.add(`${before.state} → ${after.state}`);
        }
        expect(after.attempts).toBeLessThanOrEqual(FAILURE.maxAttempts);
        expect(after.stage === null || after.state === 'running').toBe(true);
        expect((after.finishedAtMs !== null) === ['done', 'failed', 'cancelled'].includes(after.state)).toBe(
          true,
        );
        const committed = queue.batches.listBatches(job.id).reduce((sum, batch) => sum + batch.frameCount, 0);
        expect(after.framesDone).toBe(committed);
        before = after;
      }
      // Keeps the job out of the claims of the next run.
      queue.control.cancelJob(job.id, world.nowMs);
    }),
    { numRuns: 150 },
  );
  // Of 14 transitions; fewer would mean that the operations no longer take effect.
  expect(reached.size).toBeGreaterThan(8);
});
