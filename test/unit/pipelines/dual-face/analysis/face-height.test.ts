import { expect, test } from 'vitest';
import { measuredHeights } from '../../../../../src/pipelines/dual-face/analysis/face-height.ts';
import type { Face } from '../../../../../src/pipelines/dual-face/detection/face.ts';

const format = { width: 200, height: 100, pixelFormat: 'rgb24' } as const;
/** Each pixel has its column in red and its row in green. */
const pixels = Buffer.from(
  Array.from({ length: 200 * 100 }, (_, i) => [i % 200, Math.floor(i / 200), 255]).flat(),
);
const frame = { number: 3, pixels };
const face = (x: number, score = 0.9): Face => ({
  ...{ box: { x, y: 40, width: 10, height: 10 }, score, landmarks: [] },
});

test('a face is measured in a square part of the frame around it', async () => {
  const own = face(100);
  const heights = await measuredHeights(frame, format, [own], (part, { width, height }) => {
    expect({ width, height, bytes: part.pixels.length }).toEqual({ width: 50, height: 50, bytes: 7500 });
    expect([...part.pixels.subarray(0, 3)]).toEqual([80, 20, 255]);
    const found = { x: 20, y: 19, width: 10, height: 12 };
    return Promise.resolve([{ ...face(0), box: found }]);
  });
  expect(heights).toEqual(new Map([[own, 12]]));
});

test('beyond the edge of the frame, the part is black', async () => {
  const parts: Buffer[] = [];
  await measuredHeights(frame, format, [face(0)], (part) => {
    parts.push(part.pixels);
    return Promise.resolve([]);
  });
  const at = (x: number): number[] => [...(parts[0]?.subarray(3 * x, 3 * x + 3) ?? [])];
  expect([at(19), at(20), at(49)]).toEqual([
    [0, 0, 0],
    [0, 20, 255],
    [29, 20, 255],
  ]);
});

test('faces that are uncertain, or not found again, have no height', async () => {
  const elsewhere = { ...face(0), box: { x: 0, y: 0, width: 10, height: 10 } };
  const detect = (): Promise<Face[]> => Promise.resolve([elsewhere]);
  expect(await measuredHeights(frame, format, [face(100), face(20, 0.4)], detect)).toEqual(new Map());
});
