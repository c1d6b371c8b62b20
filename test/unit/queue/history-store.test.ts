import { expect, test } from 'vitest';
import type { AnalysedBatch } from '../../../src/queue/analysis-store.ts';
import type { Queue } from '../../../src/queue/queue.ts';
import { ALICE, LEASE_MS, newBatch, newJob, testQueue, VIDEO } from './queue-fixture.ts';

const { recipe } = newJob();
const STARTED_AT_MS = 10_000;

/**
 * Enqueues a job, claims it at 10 s and commits batches of 30 frames, each with its commit time and duration.
 *
 * @param finishedAtMs null for a job that is still running
 */
function work(
  queue: Queue,
  batches: readonly { readonly atMs: number; readonly elapsedMs: number; readonly analysisMs?: number }[],
  finishedAtMs: number | null,
  of = recipe,
  analysed: readonly AnalysedBatch[] = [],
): void {
  queue.jobs.enqueue(newJob({ recipe: of }));
  const claimed = queue.leases.claim({ owner: ALICE, nowMs: STARTED_AT_MS, leaseMs: LEASE_MS });
  if (claimed === null) throw new Error('There is no job to claim.');
  const { lease } = claimed;
  queue.progress.setVideo(lease, VIDEO);
  for (const batch of analysed) queue.analyses.commitAnalysis(lease, batch);
  for (const [number, { atMs, ...times }] of batches.entries())
    queue.batches.commitBatch(lease, { ...newBatch(number), ...times }, atMs);
  if (finishedAtMs !== null) queue.leases.finish(lease, finishedAtMs);
}

test('overlapping batches count once, and so do the times before and after them', () => {
  const queue = testQueue();
  // Indexed until 11 s; two overlapping batches of 4 s each; joined and verified from 17 s to 18 s.
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
  // Batches of 4 s and 3 s; the time before them counts at most as long as they took; 0.5 s after them.
  expect(queue.history.pastJobs(recipe)[0]?.workMs).toBe(14_500);
});

test('the time of a first pass over the video counts in full, and once', () => {
  const queue = testQueue();
  // Indexed until 11 s, analysed until 23 s, drawn until 27 s, joined and verified until 28 s.
  work(
    queue,
    [
      { atMs: 25_000, elapsedMs: 2000, analysisMs: 6000 },
      { atMs: 27_000, elapsedMs: 3000, analysisMs: 6000 },
    ],
    28_000,
  );
  expect(queue.history.pastJobs(recipe)[0]?.workMs).toBe(18_000);
});

test('the time of a first pass over batches without a checkpoint does not count yet', () => {
  const queue = testQueue();
  const analysed = { findings: new Uint8Array(), state: new Uint8Array(), elapsedMs: 6000 };
  // Indexed until 11 s, analysed until 23 s; the first of two batches is drawn at 25 s.
  work(queue, [{ atMs: 25_000, elapsedMs: 2000, analysisMs: 6000 }], null, recipe, [
    { ...analysed, number: 0 },
    { ...analysed, number: 1 },
  ]);
  expect(queue.history.pastJobs(recipe)[0]?.workMs).toBe(9000);
});

test('a clock that is set back yields no negative times', () => {
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

test('the history holds the latest ten jobs of the same recipe that have a checkpoint', () => {
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

test('how much longer drawing takes than the analysis is known from the latest jobs with the same recipe', () => {
  const queue = testQueue();
  expect(queue.history.drawingShare(recipe)).toBeNull();
  work(queue, [{ atMs: 15_000, elapsedMs: 4000 }], 16_000);
  expect(queue.history.drawingShare(recipe)).toBeNull();
  work(
    queue,
    [
      { atMs: 25_000, elapsedMs: 2000, analysisMs: 1000 },
      // Drawn while the first one was still being encoded.
      { atMs: 26_000, elapsedMs: 3000, analysisMs: 1000 },
    ],
    27_000,
  );
  expect(queue.history.drawingShare(recipe)).toBe(1.5);
  // The analysis of the same video was taken over.
  work(queue, [{ atMs: 15_000, elapsedMs: 4000, analysisMs: 0 }], 16_000);
  expect(queue.history.drawingShare(recipe)).toBe(1.5);
  expect(queue.history.drawingShare({ ...recipe, device: 'cpu' })).toBeNull();
});
