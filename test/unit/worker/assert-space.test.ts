import { expect, test } from 'vitest';
import { spaceNeeded } from '../../../src/worker/assert-space.ts';

test('before the first segment the size is guessed; both the segments and the finished file need it', () => {
  expect(spaceNeeded(100, 1000, 7, [])).toEqual({ segments: 5000, output: 5007 });
});

test('with segments their own size tells: what is missing, and the whole for the finished file', () => {
  const committed = [
    { frameCount: 10, segmentBytes: 900 },
    { frameCount: 20, segmentBytes: 2100 },
  ];
  expect(spaceNeeded(100, 1000, 7, committed)).toEqual({ segments: 7000, output: 10_007 });
});

test('at the end only the finished file is left', () => {
  expect(spaceNeeded(10, 1000, 0, [{ frameCount: 10, segmentBytes: 500 }])).toEqual({
    segments: 0,
    output: 500,
  });
});
