import { expect, test } from 'vitest';
import { estimateJob, rateOf, spaceNeeded } from '../../../src/domain/estimate.ts';
import type { VideoShape } from '../../../src/domain/video-shape.ts';
import type { Recipe } from '../../../src/domain/recipe.ts';

const RECIPE: Recipe = { pipeline: 'upscale', model: 'lanczos', scale: 2, device: 'auto', tile: 'auto' };
const VIDEO: VideoShape = { width: 10, height: 10, bitsPerComponent: 8, frames: 100, bytes: 7 };

test('before the first segment, the size of segments and finished file is a guess', () => {
  expect(spaceNeeded(100, 1000, 7, [], null)).toEqual({ segments: 5000, output: 5007 });
});

test('with segments, their size determines what the others and the finished file need', () => {
  const committed = [
    { frameCount: 10, segmentBytes: 900 },
    { frameCount: 20, segmentBytes: 2100 },
  ];
  expect(spaceNeeded(100, 1000, 7, committed, null)).toEqual({ segments: 7000, output: 10_007 });
});

test('at the end, only the finished file needs space', () => {
  expect(spaceNeeded(10, 1000, 0, [{ frameCount: 10, segmentBytes: 500 }], null)).toEqual({
    segments: 0,
    output: 500,
  });
});

test('a job is estimated per output pixel from jobs with its recipe', () => {
  // 400 output pixels a frame, 50 frames: 20,000 pixels in 10 s; and 1,600 in 25 frames: 40,000 in 20 s.
  const rate = rateOf(RECIPE, [
    { video: VIDEO, frames: 50, workMs: 10_000, segmentBytes: 2000 },
    { video: { ...VIDEO, width: 20, height: 20 }, frames: 25, workMs: 20_000, segmentBytes: 4000 },
  ]);
  expect(rate).toEqual({ jobCount: 2, msPerPixel: 0.5, bytesPerPixel: 0.1 });
  expect(estimateJob(RECIPE, { ...VIDEO, width: 5 }, rate, null, 99)).toEqual({
    seconds: 10,
    basis: 'past-jobs',
    diskBytes: 4007,
    memoryBytes: 99,
    jobCount: 2,
  });
});

test('the size of a split screen does not depend on its source', () => {
  const recipe: Recipe = {
    ...{ pipeline: 'dual-face', model: 'blazeface-full-range', device: 'auto', width: 100, height: 50 },
    ...{ layout: 'side-by-side', detectEvery: 1, missing: 'wide' },
  } as const;
  const past = [{ video: VIDEO, frames: 10, workMs: 5000, segmentBytes: 5000 }];
  expect(rateOf(recipe, past)).toMatchObject({ msPerPixel: 0.1, bytesPerPixel: 0.1 });
});

test('the time is unknown without history, time and size without a frame count', () => {
  expect(rateOf(RECIPE, [])).toBeNull();
  expect(estimateJob(RECIPE, VIDEO, null, null, 99)).toEqual({
    seconds: null,
    basis: null,
    diskBytes: 4007,
    memoryBytes: 99,
    jobCount: 0,
  });
  const rate = { jobCount: 3, msPerPixel: 1, bytesPerPixel: 1 };
  expect(estimateJob(RECIPE, { ...VIDEO, frames: null }, rate, null, 99)).toEqual({
    seconds: null,
    basis: null,
    diskBytes: null,
    memoryBytes: 99,
    jobCount: 3,
  });
});
