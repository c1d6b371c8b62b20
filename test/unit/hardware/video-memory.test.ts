import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchForVideoMemory, usableVideoMemory } from '../../../src/hardware/video-memory.ts';

const GIB = 1024 ** 3;

test('15 % of the free memory and an eighth of the total memory stay free', () => {
  // Nearly full: an eighth of the total is more than 15 % of the rest.
  expect(usableVideoMemory({ totalBytes: 24 * GIB, freeBytes: 4 * GIB }) / GIB).toBeCloseTo(1);
  expect(usableVideoMemory({ totalBytes: 24 * GIB, freeBytes: 22 * GIB }) / GIB).toBeCloseTo(18.7);
  // Other programs use more than 87.5 %.
  expect(usableVideoMemory({ totalBytes: 24 * GIB, freeBytes: 2 * GIB })).toBe(0);
  fc.assert(
    fc.property(fc.nat(200), fc.double({ min: 0, max: 1, noNaN: true }), (gib, share) => {
      const [totalBytes, freeBytes] = [gib * GIB, gib * GIB * share];
      const usable = usableVideoMemory({ totalBytes, freeBytes });
      expect(usable).toBeGreaterThanOrEqual(0);
      expect(usable).toBeLessThanOrEqual(freeBytes * 0.85);
      if (usable > 0) expect(totalBytes - freeBytes + usable).toBeLessThanOrEqual(totalBytes * 0.875 + 1);
    }),
  );
});

test('batches are full with 8 GiB free, half with 4 GiB, a quarter with less, and never empty', () => {
  expect([9, 8, 7.9, 4, 3.9, 0].map((gib) => batchForVideoMemory(8, gib * GIB))).toEqual([8, 8, 4, 4, 2, 2]);
  expect(batchForVideoMemory(1, 0)).toBe(1);
});
