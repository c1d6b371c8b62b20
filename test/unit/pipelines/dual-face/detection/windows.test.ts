import { expect, test } from 'vitest';
import { isCutOff, planWindows } from '../../../../../src/pipelines/dual-face/detection/windows.ts';

test('windows cover the frame, lie within it, and overlap by a quarter of their edge', () => {
  for (const [width, height, edge] of [
    [1920, 1080, 1080],
    [1280, 720, 360],
    [720, 1280, 720],
    [500, 33, 192],
    [193, 193, 192],
  ] as const) {
    const windows = planWindows(width, height, edge);
    const covered = new Uint8Array(width * height);
    for (const { x, y, width: w, height: h } of windows) {
      expect([x >= 0, y >= 0, x + w <= width, y + h <= height]).toEqual([true, true, true, true]);
      for (let row = y; row < y + h; row++) covered.fill(1, row * width + x, row * width + x + w);
    }
    expect(covered.every((seen) => seen === 1)).toBe(true);
    const columns = [...new Set(windows.map(({ x }) => x))];
    for (const [i, x] of columns.slice(1).entries())
      expect((columns[i] ?? 0) + edge - x).toBeGreaterThanOrEqual(Math.floor(edge / 4));
  }
});

test('a frame that is not larger than a window has none; a 16:9 frame has three', () => {
  expect(planWindows(192, 108, 192)).toEqual([]);
  expect(planWindows(1920, 1080, 1080).map(({ x }) => x)).toEqual([0, 420, 840]);
});

test('a box at the edge of a window counts as cut off, except at the edge of the frame', () => {
  const window = { x: 100, y: 0, width: 100, height: 100 };
  const at = (x: number, y: number) => isCutOff({ x, y, width: 20, height: 20 }, window, 300, 100);
  expect([at(101, 40), at(179, 40), at(140, 0), at(140, 79), at(140, 40)]).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
