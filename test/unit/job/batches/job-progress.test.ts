import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LeaseLostError } from '../../../../src/domain/errors.ts';
import { JobProgress, type Pass } from '../../../../src/job/batches/job-progress.ts';
import { jobAtWork } from '../job-fixture.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'Date'] }));
afterEach(() => void vi.useRealTimers());

/** A job of `framesTotal` frames of which `framesDone` have a checkpoint; each further frame takes a tenth of a second. */
async function progressOf(
  framesTotal: number,
  framesDone: number,
  firstEstimateAfter: number,
  pass: Pass | null = null,
) {
  const work = await jobAtWork();
  const progress = new JobProgress(work.context, framesTotal, framesDone, firstEstimateAfter, pass);
  const advance = (from: number, to: number) => {
    for (let ready = from; ready <= to; ready++) {
      vi.advanceTimersByTime(100);
      progress.advance(ready);
    }
  };
  return { ...work, progress, advance };
}

test('the first estimate is logged after the first batch, and once', async () => {
  const { advance, lines } = await progressOf(1000, 0, 8);
  advance(1, 7);
  expect(lines).toEqual([]);
  advance(8, 20);
  expect(lines).toEqual(['first estimate: 0 % · 8 of 1000 frames · 10.0 fps · 1 min 39 s left']);
});

test('every 5 % is logged, but not more often than every three seconds, and the end in any case', async () => {
  const { progress, advance, lines } = await progressOf(100, 0, 1000);
  advance(1, 29);
  expect(lines).toEqual([]);
  advance(30, 59);
  progress.finishBatch(60);
  // The step of 60 % came too soon after the line of 30 %, and is told with the next frame that is late enough.
  vi.advanceTimersByTime(100);
  progress.advance(1);
  expect(lines.map((line) => line.split(' · ')[0])).toEqual(['30 %', '61 %']);
  progress.finishBatch(40);
  expect(lines.at(-1)).toMatch(/^100 % · 100 of 100 frames · [\d.]+ fps$/);
});

test('a clip that takes half a second has one line', async () => {
  const { advance, lines } = await progressOf(5, 0, 1000);
  advance(1, 5);
  expect(lines).toEqual(['100 % · 5 of 5 frames · 10.0 fps']);
});

test('a job whose frames are slow has no line without a step', async () => {
  const { progress, lines } = await progressOf(1000, 0, 2000);
  for (let ready = 1; ready <= 60; ready++) {
    vi.advanceTimersByTime(10_000);
    progress.advance(ready);
  }
  expect(lines.map((line) => line.split(' · ')[0])).toEqual(['5 %']);
});

test('frames with a checkpoint count as done, but not for the first estimate or the speed', async () => {
  const { advance, lines } = await progressOf(100, 50, 4);
  advance(1, 4);
  expect(lines).toEqual(['first estimate: 54 % · 54 of 100 frames · 10.0 fps · 5 s left']);
});

test('frames of the next batch are counted after those of the finished one', async () => {
  const { progress, advance, lines, stored } = await progressOf(100, 0, 1000);
  progress.finishBatch(30);
  vi.advanceTimersByTime(3_000);
  advance(1, 5);
  expect(lines.at(-1)).toContain('31 of 100 frames');
  progress.store();
  expect(stored().framesDone).toBe(35);
});

test('reused frames count as done and say nothing about the speed', async () => {
  const { progress, advance, stored } = await progressOf(100, 0, 1000);
  progress.reuse(20);
  progress.store();
  expect(stored()).toMatchObject({ framesDone: 20, framesPerSecond: null, etaAtMs: null });
  advance(21, 30);
  progress.store();
  expect(stored()).toMatchObject({ framesDone: 30, etaAtMs: Date.now() + 7_000 });
  expect(stored().framesPerSecond).toBeCloseTo(10);
});

test('a batch whose frames were all reused counts once', async () => {
  const { progress, stored } = await progressOf(100, 0, 1000);
  progress.reuse(20);
  progress.finishBatch(20);
  progress.store();
  expect(stored()).toMatchObject({ framesDone: 20, framesPerSecond: null });
});

test('the count never goes back when frames are transformed again', async () => {
  const { progress, advance, lines, stored } = await progressOf(100, 0, 1000);
  advance(1, 12);
  advance(1, 12);
  progress.store();
  expect(stored().framesDone).toBe(12);
  expect(lines).toEqual([]);
});

test('progress is stored once a second while frames are transformed', async () => {
  const { advance, stored } = await progressOf(1000, 0, 1000);
  advance(1, 1);
  expect(stored().framesDone).toBe(1);
  advance(2, 10);
  expect(stored().framesDone).toBe(1);
  advance(11, 15);
  expect(stored().framesDone).toBe(11);
});

test('a lost lease is reported by the next stored progress', async () => {
  const { advance, loseLease } = await progressOf(100, 0, 1000);
  loseLease();
  expect(() => advance(1, 1)).toThrow(LeaseLostError);
});

test('the time left in a first pass covers the second one, and both passes say which they are', async () => {
  const first = await progressOf(100, 0, 10, { name: 'analysing', followedBy: 2 });
  first.advance(1, 40);
  // 100 frames take 10 s in the first pass and 20 s in the second.
  expect(first.lines).toEqual([
    'first estimate: analysing · 10 % · 10 of 100 frames · 10.0 fps · 29 s left',
    'analysing · 40 % · 40 of 100 frames · 10.0 fps · 26 s left',
  ]);
  first.progress.store();
  expect(first.queue.jobs.getJob(first.lease.jobId)).toMatchObject({
    framesDone: 40,
    etaAtMs: Date.now() + 26_000,
  });
  const second = await progressOf(100, 0, 10, { name: 'drawing', followedBy: 0 });
  second.advance(1, 10);
  expect(second.lines).toEqual(['first estimate: drawing · 10 % · 10 of 100 frames · 10.0 fps · 9 s left']);
});
