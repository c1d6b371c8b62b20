import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchCount, batchRange } from '../../../src/domain/frame-batch.ts';
import { BATCHES_IN_FLIGHT, batchSizesFor } from '../../../src/workspace/batch-sizes.ts';

const request = { firstBatchFrames: 30, batchFrames: 60 };

test('batches of any size partition the frames', () => {
  fc.assert(
    fc.property(
      fc.nat(5000),
      fc.integer({ min: 1, max: 90 }),
      fc.integer({ min: 1, max: 90 }),
      (total, firstBatchFrames, batchFrames) => {
        const sizes = { firstBatchFrames, batchFrames };
        let next = 0;
        const count = batchCount(sizes, total);
        for (let number = 0; number < count; number++) {
          const range = batchRange(sizes, total, number);
          expect(range?.firstFrame).toBe(next);
          next += range?.frameCount ?? 0;
        }
        expect(next).toBe(total);
        expect(batchRange(sizes, total, count)).toBeNull();
      },
    ),
  );
});

test('all frames in flight fit on the RAM disk, unless one frame per batch is too large', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 1e11 }), (bytes, budget) => {
      const frame = { inputBytes: bytes, outputBytes: bytes * 4, isSlow: false };
      const { batchFrames, firstBatchFrames } = batchSizesFor(frame, budget, request);
      expect(batchFrames === 1 || batchFrames * 5 * bytes * BATCHES_IN_FLIGHT <= budget).toBe(true);
      expect(batchFrames).toBeLessThanOrEqual(60);
      expect(firstBatchFrames).toBeLessThanOrEqual(Math.min(30, batchFrames));
    }),
  );
});

test('small frames come in longer batches, unless the model is slow or the settings say otherwise', () => {
  const framesOf = (width: number, height: number, isSlow = false, batchFrames: number | 'auto' = 'auto') => {
    const outputBytes = width * height * 3;
    const frame = { inputBytes: outputBytes / 4, outputBytes, isSlow };
    return batchSizesFor(frame, 1e12, { firstBatchFrames: 30, batchFrames }).batchFrames;
  };
  expect(framesOf(3840, 2160)).toBe(60);
  expect(framesOf(1280, 720)).toBe(60);
  expect(framesOf(640, 360)).toBe(194);
  expect(framesOf(64, 48)).toBe(600);
  expect(framesOf(640, 360, true)).toBe(60);
  expect(framesOf(640, 360, false, 20)).toBe(20);
});
