import { expect, test } from 'vitest';
import { timestampFaults } from '../../../src/media/verify/verify-frames.ts';

const timing = { timescale: 1000, pts: Float64Array.of(100, 140, 180), lastDuration: 40 };

test('equal distances in another time base have no fault', () => {
  expect(timestampFaults([9000, 12_600, 16_200], 1 / 90_000, timing)).toEqual([]);
});

test('a frame may be off by one tick of the coarser time base, but not by more', () => {
  expect(timestampFaults([0, 3690, 7200], 1 / 90_000, timing)).toEqual([]);
  expect(timestampFaults([0, 3780, 7200], 1 / 90_000, timing)).toEqual([
    'has frame 1 at 0.042000 s instead of 0.040000 s',
  ]);
});

test('missing and surplus frames are faults', () => {
  expect(timestampFaults([0], 1 / 1000, timing)).toEqual(['has 1 frame instead of 3']);
  expect(timestampFaults([0, 40, 80, 120], 1 / 1000, timing)).toEqual(['has 4 frames instead of 3']);
});
