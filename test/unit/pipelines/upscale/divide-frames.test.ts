import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FrameFormat } from '../../../../src/domain/media-info.ts';
import { ChangedBlocks } from '../../../../src/pipelines/upscale/changed-blocks.ts';
import { divideFrames } from '../../../../src/pipelines/upscale/divide-frames.ts';
import type { Area } from '../../../../src/pipelines/upscale/tiles.ts';

function formatOf(width: number, height: number): FrameFormat {
  return { width, height, pixelFormat: 'rgb24' };
}

/** What changes if the pixels of these areas do. */
function changesIn(format: FrameFormat, ...areas: Area[]): ChangedBlocks {
  const before = Buffer.alloc(3 * format.width * format.height);
  const after = Buffer.from(before);
  for (const { x, y, width, height } of areas)
    for (let row = y; row < y + height; row++)
      after.fill(1, 3 * (row * format.width + x), 3 * (row * format.width + x + width));
  return new ChangedBlocks(before, after, format);
}

const areaIn = (width: number, height: number): fc.Arbitrary<Area> =>
  fc
    .tuple(fc.nat(width - 1), fc.nat(height - 1), fc.nat(width - 1), fc.nat(height - 1))
    .map(([x, y, right, bottom]) => ({
      ...{ x: Math.min(x, right), y: Math.min(y, bottom) },
      ...{ width: Math.abs(right - x) + 1, height: Math.abs(bottom - y) + 1 },
    }));

function overlaps(a: Area, b: Area): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

test('an area has changed if a block that it touches has', () => {
  const [width, height] = [70, 45];
  const blockOf = ({ x, y, ...size }: Area): Area => {
    const [left, top] = [x - (x % 16), y - (y % 16)];
    const [right, bottom] = [Math.ceil((x + size.width) / 16) * 16, Math.ceil((y + size.height) / 16) * 16];
    return { x: left, y: top, width: right - left, height: bottom - top };
  };
  const area = areaIn(width, height);
  fc.assert(
    fc.property(area, area, (changed, asked) => {
      expect(changesIn(formatOf(width, height), changed).within(asked)).toBe(
        overlaps(blockOf(changed), asked),
      );
    }),
  );
});

test('cores cover every pixel once, and windows have all that affects them', () => {
  const size = fc.tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 }));
  const frames = size.chain(([width, height]) =>
    fc.tuple(
      fc.constant(formatOf(width, height)),
      fc.array(fc.array(areaIn(width, height), { maxLength: 2 }), { maxLength: 12 }),
    ),
  );
  fc.assert(
    fc.property(frames, fc.integer({ min: 0, max: 30 }), ([format, changed], overlap) => {
      const changes = changed.map((areas) => changesIn(format, ...areas));
      const tiles = divideFrames(changes, format, overlap) ?? [];
      const area = tiles.reduce((sum, { core }) => sum + core.width * core.height, 0);
      if (tiles.length > 0) expect(area).toBe(format.width * format.height);
      for (const [i, { core, window }] of tiles.entries()) {
        expect(tiles.slice(i + 1).some((other) => overlaps(core, other.core))).toBe(false);
        const [right, bottom] = [core.x + core.width, core.y + core.height];
        expect(Math.max(right - format.width, bottom - format.height)).toBeLessThanOrEqual(0);
        const [x, y] = [Math.max(0, core.x - overlap), Math.max(0, core.y - overlap)];
        const width = Math.min(format.width, right + overlap) - x;
        expect(window).toEqual({ x, y, width, height: Math.min(format.height, bottom + overlap) - y });
      }
    }),
    { numRuns: 60 },
  );
});

test('black bars are cut off', () => {
  const format = formatOf(640, 360);
  const film = { x: 0, y: 48, width: 640, height: 264 };
  const changes = Array.from({ length: 9 }, () => changesIn(format, film));
  const cores = divideFrames(changes, format, 10)?.map(({ core }) => core);
  expect(cores?.toSorted((a, b) => a.y - b.y)).toEqual([
    { x: 0, y: 0, width: 640, height: 32 },
    { x: 0, y: 32, width: 640, height: 304 },
    { x: 0, y: 336, width: 640, height: 24 },
  ]);
});

test('frames stay whole if everything changes, or nothing does', () => {
  const format = formatOf(640, 360);
  for (const areas of [[], [{ x: 0, y: 0, width: 640, height: 360 }]]) {
    const changes = Array.from({ length: 9 }, () => changesIn(format, ...areas));
    expect(divideFrames(changes, format, 10)).toBe(null);
  }
  expect(divideFrames([], format, 10)).toBe(null);
});
