import { expect, test } from 'vitest';
import { suppressOverlaps } from '../../../../../src/pipelines/dual-face/detection/suppress-overlaps.ts';

const face = (x: number, score: number) => ({
  box: { x, y: 0, width: 100, height: 100 },
  score,
  landmarks: [{ x: x + 30, y: 40 }],
});

test('the best of overlapping faces is kept, and only kept faces suppress others', () => {
  // 0 and 40 overlap by 0.43, 40 and 80 too, 0 and 80 by 0.11.
  const [left, middle, right] = [face(0, 0.9), face(40, 0.8), face(80, 0.7)];
  expect(suppressOverlaps([right, middle, left])).toEqual([left, right]);
  expect(suppressOverlaps([face(0, 0.8), face(40, 0.9), face(80, 0.7)])).toEqual([face(40, 0.9)]);
  expect(suppressOverlaps([left, middle], 0.5)).toEqual([left, middle]);
});

test('the position is the mean of the agreeing faces, weighted by the squares of their scores', () => {
  // 0 and 12 overlap by 0.79; 0 and 38 by 0.45: suppressed, but no witness.
  const [kept, ...others] = suppressOverlaps([face(12, 0.4), face(38, 0.7), face(0, 0.8)]);
  expect(others).toEqual([]);
  const x = (0.16 * 12) / (0.16 + 0.64);
  expect(kept?.score).toBe(0.8);
  expect(kept?.box).toEqual({ x: expect.closeTo(x, 9) as number, y: 0, width: 100, height: 100 });
  expect(kept?.landmarks[0]?.x).toBeCloseTo(x + 30, 9);
  expect(kept?.landmarks[0]?.y).toBeCloseTo(40, 9);
});
