import { expect, test } from 'vitest';
import type { Queue } from '../../../src/queue/queue.ts';
import { ALICE, LEASE_MS, newBatch, newJob, testQueue, VIDEO } from './queue-fixture.ts';

const { recipe } = newJob();
const STARTED_AT_MS = 10_000;

/**
 * A job that was claimed at 10 s, whose batches of 30 frames were committed then, each after so long.
 *
 * @param finishedAtMs null: it is still at it
 */
function work(
  queue: Queue,
  batches: readonly { readonly atMs: number; readonly elapsedMs: number }[],
  finishedAtMs: number | null,
  of = recipe,
): void {
  queue.jobs.enqueue(newJob({ recipe: of }));
  const claimed = queue.leases.claim({ owner: ALICE, nowMs: STARTED_AT_MS, leaseMs: LEASE_MS });
  if (claimed === null) throw new Error('There is no job to claim.');
  const { lease } = claimed;
  queue.progress.setVideo(lease, VIDEO);
  for (const [number, { atMs, elapsedMs }] of batches.entries())
    queue.batches.commitBatch(lease, { ...newBatch(number), elapsedMs }, atMs);
  if (finishedAtMs !== null) queue.leases.finish(lease, finishedAtMs);
}

test('batches that overlap count once, and so do the time before them and after them', () => {
  const queue = testQueue();
  // Indexed until 11 s; two batches at once, of 4 s each; joined and checked from 17 s to 18 s.
  work(
    queue,
    [
      { atMs: 15_000, elapsedMs: 4000 },
      { atMs: 17_000, elapsedMs: 4000 },
    ],
    18_000,
  );
  expect(queue.history.pastJobs(recipe)).toEqual([
    { video: VIDEO, frames: 60, segmentBytes: 2 * 1234, workMs: 8000 },
  ]);
});

test('a pause between two batches, or before the first one, is not work', () => {
  const queue = testQueue();
  const day = 86_400_000;
  work(
    queue,
    [
      { atMs: day, elapsedMs: 4000 },
      { atMs: 2 * day, elapsedMs: 3000 },
    ],
    2 * day + 500,
  );
  // 4 s and 3 s; before them no more than they took; 0.5 s after them.
  expect(queue.history.pastJobs(recipe)[0]?.workMs).toBe(14_500);
});

test('a clock that is set back makes no time negative', () => {
  const queue = testQueue();
  work(
    queue,
    [
      { atMs: 15_000, elapsedMs: 4000 },
      { atMs: 5000, elapsedMs: 3000 },
    ],
    4000,
  );
  expect(queue.history.pastJobs(recipe)[0]?.workMs).toBe(4000);
});

test('a job tells from its first checkpoint on, of its recipe alone; the latest ten are asked', () => {
  const queue = testQueue();
  const batch = [{ atMs: 12_000, elapsedMs: 1000 }];
  work(queue, [], null);
  work(queue, batch, 12_500, { ...recipe, device: 'cpu' });
  expect(queue.history.pastJobs(recipe)).toEqual([]);
  work(queue, batch, null);
  expect(queue.history.pastJobs(recipe)).toMatchObject([{ frames: 30, workMs: 2000 }]);
  for (let i = 0; i < 12; i++) work(queue, batch, 12_500);
  const past = queue.history.pastJobs(recipe);
  expect(past).toHaveLength(10);
  expect(past.every(({ workMs }) => workMs === 2500)).toBe(true);
});
