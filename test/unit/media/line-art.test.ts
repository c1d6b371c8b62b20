import { execFileSync } from 'node:child_process';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { contentOf, countLines, type Content } from '../../../src/media/still/line-art.ts';
import { seededRandom } from '../../../src/lib/seeded-random.ts';
import { readImage } from '../../helpers/images.ts';
import { sharedMedia, whyNoSharedMedia } from '../../helpers/shared-media.ts';

const SIZE = { width: 320, height: 240 };

/** Shapes of one colour each, with dark outlines. */
function cartoon(outline: number): Promise<Buffer> {
  const random = seededRandom(5);
  const shapes = Array.from({ length: 30 }, () => {
    const [x, y, rx, ry, hue] = [320, 240, 40, 30, 360].map((most) => random() * most);
    return `<ellipse cx="${x}" cy="${y}" rx="${10 + (rx ?? 0)}" ry="${10 + (ry ?? 0)}" fill="hsl(${hue},60%,65%)" stroke="#222" stroke-width="${outline}"/>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><rect width="320" height="240" fill="#8fc7e8"/>${shapes.join('')}</svg>`;
  return sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer();
}

const verdict = (pixels: Uint8Array, size = SIZE): Content | null =>
  contentOf([countLines(pixels, size)], size);

test('shapes with dark outlines are drawn, and without outlines nobody can tell', async () => {
  expect(verdict(await cartoon(2.5))).toBe('drawn');
  expect(verdict(await cartoon(0))).toBeNull();
});

test('a black image, and one that is too small, are neither', () => {
  expect(verdict(new Uint8Array(3 * 320 * 240))).toBeNull();
  expect(verdict(new Uint8Array(3 * 64 * 48), { width: 64, height: 48 })).toBeNull();
});

describe.skipIf(whyNoSharedMedia !== null)('real images and videos', () => {
  test.each([
    ['upscale/ADE_val_00000114.jpg', 'filmed'],
    ['upscale/00003.png', null],
    ['upscale/gt_comic.png', null],
    // A drawing in a coarse JPEG.
    ['upscale/0014.jpg', null],
  ])('%s', async (name, expected) => {
    const { pixels, format } = await readImage(sharedMedia(name));
    expect(verdict(pixels, format)).toBe(expected);
  });

  test('a filmed video is never taken for a drawn one', () => {
    for (const name of ['faces/again.mkv', 'faces/head-pose-face-detection-female-and-male.gif']) {
      const arguments_ = ['-v', 'error', '-i', sharedMedia(name), '-frames:v', '1'];
      const scaled = ['-vf', 'scale=320:240', '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-'];
      expect(verdict(execFileSync('ffmpeg', [...arguments_, ...scaled]))).not.toBe('drawn');
    }
  });
});
