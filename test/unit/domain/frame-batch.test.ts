import { expect, test } from 'vitest';
import { batchCount, batchRange, missingBatches } from '../../../src/domain/frame-batch.ts';

const SIZES = { firstBatchFrames: 4, batchFrames: 10 };

test.each([
  [0, []],
  [1, [1]],
  [4, [4]],
  [5, [4, 1]],
  [14, [4, 10]],
  [15, [4, 10, 1]],
  [27, [4, 10, 10, 3]],
])('%d frames are cut into batches of %j frames that follow each other', (framesTotal, expected) => {
  const batches = missingBatches(SIZES, framesTotal, new Set());
  expect(batches.map(({ frameCount }) => frameCount)).toEqual(expected);
  expect(batches.map(({ number }) => number)).toEqual(expected.map((_, number) => number));
  let next = 0;
  for (const { firstFrame, frameCount } of batches) {
    expect(firstFrame).toBe(next);
    next += frameCount;
  }
  expect(next).toBe(framesTotal);
  expect(batchCount(SIZES, framesTotal)).toBe(expected.length);
  expect(batchRange(SIZES, framesTotal, expected.length)).toBeNull();
});

test('batches without a checkpoint are missing, in order', () => {
  expect(missingBatches(SIZES, 27, new Set([3, 1]))).toEqual([
    { number: 0, firstFrame: 0, frameCount: 4 },
    { number: 2, firstFrame: 14, frameCount: 10 },
  ]);
  expect(missingBatches(SIZES, 27, new Set([0, 1, 2, 3]))).toEqual([]);
});
