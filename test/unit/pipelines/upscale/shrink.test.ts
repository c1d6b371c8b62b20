import { expect, test } from 'vitest';
import { frameBytes, type FrameFormat } from '../../../../src/domain/media-info.ts';
import { resample } from '../../../../src/pipelines/upscale/resample.ts';
import { isShrinkable, shrink } from '../../../../src/pipelines/upscale/shrink.ts';
import { psnr } from '../../../helpers/images.ts';

const format = (width: number, height: number, pixelFormat: 'rgb24' | 'rgb48le' = 'rgb24'): FrameFormat => ({
  ...{ width, height, pixelFormat },
});

/** Rings that get finer towards the right, in different colours. */
function rings(to: FrameFormat): Buffer {
  const pixels = Buffer.alloc(frameBytes(to));
  for (let y = 0; y < to.height; y++)
    for (let x = 0; x < to.width; x++)
      for (let i = 0; i < 3; i++) {
        const wave = Math.sin((x * x) / (2 * to.width) + (y / 7) * (i + 1));
        pixels[(y * to.width + x) * 3 + i] = Math.round(128 + 76 * wave);
      }
  return pixels;
}

test.each([
  [160, 120, 80, 60],
  [160, 120, 120, 90],
  [164, 108, 122, 82],
  [184, 136, 70, 52],
])('sharp shrinks as our own resampler does: %ix%i to %ix%i', async (width, height, toWidth, toHeight) => {
  const [from, to] = [format(width, height), format(toWidth, toHeight)];
  const shrunk = await shrink(rings(from), from, to);
  expect(shrunk).toHaveLength(frameBytes(to));
  expect(psnr(shrunk, resample(rings(from), from, to))).toBeGreaterThan(50);
});

test.each([
  [4, 4, 2, 2],
  [20, 12, 15, 9],
  [3, 2, 2, 1],
])('a flat frame stays flat: %ix%i to %ix%i', async (width, height, toWidth, toHeight) => {
  const flat = Buffer.alloc(width * height * 3, 200);
  expect(await shrink(flat, format(width, height), format(toWidth, toHeight))).toEqual(
    Buffer.alloc(toWidth * toHeight * 3, 200),
  );
});

test.each([
  ['half', format(8, 8), format(4, 4), true],
  ['three quarters', format(8, 8), format(6, 6), true],
  ['one side only', format(8, 8), format(8, 6), true],
  ['the same size', format(8, 8), format(8, 8), false],
  ['a quarter', format(8, 8), format(2, 2), false],
  ['16 bits', format(8, 8, 'rgb48le'), format(4, 4, 'rgb48le'), false],
  ['larger', format(8, 8), format(10, 10), false],
  ['larger on one side', format(8, 8), format(6, 9), false],
])('whether sharp may shrink a frame: %s', (_, from, to, expected) => {
  expect(isShrinkable(from, to)).toBe(expected);
});
