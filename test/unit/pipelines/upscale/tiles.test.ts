import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planTiles, type Area } from '../../../../src/pipelines/upscale/tiles.ts';

const frames = fc.record({
  width: fc.integer({ min: 1, max: 300 }),
  height: fc.integer({ min: 1, max: 300 }),
  tile: fc.option(fc.integer({ min: 16, max: 400 })),
  overlap: fc.nat(60),
});

test('the cores partition the frame', () => {
  fc.assert(
    fc.property(frames, ({ width, height, tile, overlap }) => {
      const covered = new Uint8Array(width * height);
      for (const { core } of planTiles(width, height, tile, overlap)) {
        for (let y = core.y; y < core.y + core.height; y++) {
          for (let x = core.x; x < core.x + core.width; x++)
            covered[y * width + x] = (covered[y * width + x] ?? 0) + 1;
        }
      }
      expect(covered.every((times) => times === 1)).toBe(true);
    }),
  );
});

test('all windows have the same size, lie within the frame and include the overlap around their core', () => {
  fc.assert(
    fc.property(frames, ({ width, height, tile, overlap }) => {
      const tiles = planTiles(width, height, tile, overlap);
      for (const { core, window } of tiles) {
        expect([window.width, window.height]).toEqual([tiles[0]?.window.width, tiles[0]?.window.height]);
        expectReach(window.x, window.width, core.x, core.width, width, overlap);
        expectReach(window.y, window.height, core.y, core.height, height, overlap);
        expect(Math.max(core.width, core.height)).toBeLessThanOrEqual(tile ?? Infinity);
      }
    }),
  );
});

function expectReach(
  start: number,
  length: number,
  coreStart: number,
  coreLength: number,
  frameLength: number,
  overlap: number,
): void {
  expect(start).toBeGreaterThanOrEqual(0);
  expect(start).toBeLessThanOrEqual(Math.max(0, coreStart - overlap));
  expect(start + length).toBeGreaterThanOrEqual(Math.min(frameLength, coreStart + coreLength + overlap));
  expect(start + length).toBeLessThanOrEqual(frameLength);
}

test('without a tile size, or with one larger than the frame, the frame is one tile', () => {
  const whole: Area = { x: 0, y: 0, width: 64, height: 48 };
  for (const tile of [null, 64, 100])
    expect(planTiles(64, 48, tile, 30)).toEqual([{ window: whole, core: whole }]);
});

test('with two tiles, each has the overlap on one side only', () => {
  expect(planTiles(100, 10, 64, 20).map(({ window }) => [window.x, window.width])).toEqual([
    [0, 70],
    [30, 70],
  ]);
});
