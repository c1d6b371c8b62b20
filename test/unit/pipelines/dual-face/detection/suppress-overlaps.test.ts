import { expect, test } from 'vitest';
import { suppressOverlaps } from '../../../../../src/pipelines/dual-face/detection/suppress-overlaps.ts';

const face = (x: number, score: number) => ({
  box: { x, y: 0, width: 100, height: 100 },
  score,
  landmarks: [],
});

test('of faces that overlap the best is kept, and only the kept ones suppress', () => {
  // 0 and 40 overlap by 0.43, 40 and 80 too, 0 and 80 by 0.11.
  const [left, middle, right] = [face(0, 0.9), face(40, 0.8), face(80, 0.7)];
  expect(suppressOverlaps([right, middle, left])).toEqual([left, right]);
  expect(suppressOverlaps([face(0, 0.8), face(40, 0.9), face(80, 0.7)])).toEqual([face(40, 0.9)]);
  expect(suppressOverlaps([left, middle], 0.5)).toEqual([left, middle]);
});
