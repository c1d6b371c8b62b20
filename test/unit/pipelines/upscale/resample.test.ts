import { expect, test } from 'vitest';
import type { FrameFormat } from '../../../../src/domain/media-info.ts';
import { resample } from '../../../../src/pipelines/upscale/resample.ts';

const format = (
  width: number,
  height: number,
  pixelFormat: FrameFormat['pixelFormat'] = 'rgb24',
): FrameFormat => ({
  width,
  height,
  pixelFormat,
});

/** A grey frame with one row. */
function row(values: readonly number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [value, value, value]));
}
const reds = (pixels: Buffer): number[] => [...pixels].filter((_, i) => i % 3 === 0);

test('a frame that has the right size is returned unchanged', () => {
  const pixels = Buffer.alloc(12);
  expect(resample(pixels, format(2, 2), format(2, 2))).toBe(pixels);
});

test.each([
  [1, 1, 4, 6],
  [7, 5, 14, 10],
  [64, 48, 48, 36],
  [13, 11, 3, 2],
])('a flat frame stays flat, of each depth: %sx%s to %sx%s', (width, height, toWidth, toHeight) => {
  const pixels = Buffer.alloc(width * height * 3, 200);
  const upscaled = resample(pixels, format(width, height), format(toWidth, toHeight));
  expect(upscaled.equals(Buffer.alloc(toWidth * toHeight * 3, 200))).toBe(true);
  const deep = Buffer.from(new Uint16Array(width * height * 3).fill(51_234).buffer);
  const larger = resample(deep, format(width, height, 'rgb48le'), format(toWidth, toHeight, 'rgb48le'));
  expect(larger.equals(Buffer.from(new Uint16Array(toWidth * toHeight * 3).fill(51_234).buffer))).toBe(true);
});

test('an impulse becomes the Lanczos kernel, centred on its pixel', () => {
  const impulse = row([100, 100, 100, 100, 200, 100, 100, 100, 100]);
  // Twice as wide: samples lie a quarter of a pixel to both sides of each source pixel.
  const kernel = [0.25, 0.75, 1.25, 1.75, 2.25, 2.75].map(
    (x) => (3 * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / 3)) / (Math.PI * x) ** 2,
  );
  // The weights of the six source pixels around a sample: their sum is not quite 1 and is made so.
  const sums = [0.25, 0.75].map((x) =>
    [-3, -2, -1, 0, 1, 2, 3].map((k) => lanczos(x + k)).reduce((a, b) => a + b, 0),
  );
  const right = kernel.map((weight, i) => Math.round(100 + (100 * weight) / (sums[i % 2] ?? 1)));
  const result = reds(resample(impulse, format(9, 1), format(18, 1)));
  expect(result.slice(9, 15)).toEqual(right);
  expect(result).toEqual([...result].reverse());
});

test('an edge keeps its position and range', () => {
  const result = reds(resample(row([0, 0, 0, 0, 255, 255, 255, 255]), format(8, 1), format(16, 1)));
  expect(result[7]).toBeLessThan(128);
  expect(result[8]).toBeGreaterThan(127);
  expect((result[7] ?? 0) + (result[8] ?? 0)).toBe(255);
});

test('stripes too fine for the smaller frame become grey instead of aliasing', () => {
  const stripes = row(Array.from({ length: 64 }, (_, i) => (i % 2) * 255));
  const inner = reds(resample(stripes, format(64, 1), format(24, 1))).slice(4, 20);
  for (const value of inner) expect(Math.abs(value - 127.5)).toBeLessThan(8);
});

test('rows and columns are resampled the same way', () => {
  const column = row([10, 250, 30, 90, 70]);
  const wide = resample(column, format(5, 1), format(8, 1));
  expect(resample(column, format(1, 5), format(1, 8)).equals(wide)).toBe(true);
});

function lanczos(x: number): number {
  if (x === 0) return 1;
  const angle = Math.PI * x;
  return Math.abs(x) >= 3 ? 0 : (3 * Math.sin(angle) * Math.sin(angle / 3)) / angle ** 2;
}
