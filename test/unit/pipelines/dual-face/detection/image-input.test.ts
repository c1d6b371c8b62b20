import { expect, test } from 'vitest';
import { fitInto, readInput } from '../../../../../src/pipelines/dual-face/detection/image-input.ts';

const PLAIN = { order: 'rgb', subtract: 0, factor: 1 } as const;

/** Packed RGB with red `colour(x, y)`, green 100 and blue 200. */
function imageOf(width: number, height: number, colour: (x: number, y: number) => number): Uint8Array {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) pixels.set([colour(x, y), 100, 200], (y * width + x) * 3);
  return pixels;
}

test('an area keeps its proportions and is centred', () => {
  expect(fitInto({ width: 480, height: 270 }, { width: 192, height: 192 })).toEqual({
    scale: 0.4,
    inside: { x: 0, y: 42, width: 192, height: 108 },
  });
  expect(fitInto({ width: 10, height: 20 }, { width: 40, height: 40 })).toEqual({
    scale: 2,
    inside: { x: 10, y: 0, width: 20, height: 40 },
  });
});

test('an area of the same size is copied in the requested channel order and range', () => {
  const pixels = imageOf(8, 6, (x, y) => 10 * x + y);
  const area = { x: 2, y: 1, width: 4, height: 4 };
  const { data } = readInput(pixels, 8, area, { width: 4, height: 4 }, PLAIN);
  expect([...data.slice(0, 8)]).toEqual([21, 31, 41, 51, 22, 32, 42, 52]);
  expect(data[16]).toBe(100);
  expect(data[32]).toBe(200);
  const range = { order: 'bgr', subtract: 100, factor: 0.5 } as const;
  const shifted = readInput(pixels, 8, area, { width: 4, height: 4 }, range).data;
  expect([shifted[0], shifted[16], shifted[32]]).toEqual([50, 0, (21 - 100) / 2]);
});

test('the border around the area is black', () => {
  const range = { order: 'rgb', subtract: 127.5, factor: 1 / 127.5 } as const;
  const white = imageOf(4, 2, () => 255);
  const { data } = readInput(white, 4, { x: 0, y: 0, width: 4, height: 2 }, { width: 4, height: 4 }, range);
  expect([...data.slice(0, 16)]).toEqual([-1, -1, -1, -1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1]);
});

test('a ramp stays a ramp at any scale, and fine stripes become grey', () => {
  const ramp = imageOf(200, 10, (x) => x);
  for (const width of [20, 100, 400]) {
    const input = { width, height: Math.max(1, width / 20) };
    const { data } = readInput(ramp, 200, { x: 0, y: 0, width: 200, height: 10 }, input, PLAIN);
    for (let x = 1; x < width - 1; x++) expect(data[x]).toBeCloseTo(((x + 0.5) * 200) / width - 0.5, 3);
  }
  const stripes = imageOf(120, 12, (x) => (x % 2) * 200);
  const area = { x: 0, y: 0, width: 120, height: 12 };
  const { data } = readInput(stripes, 120, area, { width: 20, height: 2 }, PLAIN);
  for (let x = 0; x < 20; x++) expect(data[x]).toBeCloseTo(100, 0);
});
