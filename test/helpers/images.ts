import sharp from 'sharp';
import type { FrameFormat } from '../../src/domain/media-info.ts';
import type { Tensor } from '../../src/inference/engine.ts';

/** An image as packed RGB of 8 bits. */
export interface Image {
  readonly pixels: Buffer;
  readonly format: FrameFormat;
}

/** Reads the centre of an image file, at most `width` x `height` pixels. */
export async function readImage(path: string, width = Infinity, height = Infinity): Promise<Image> {
  const image = sharp(path).removeAlpha().toColourspace('srgb');
  const size = await image.metadata();
  const area = { width: Math.min(width, size.width), height: Math.min(height, size.height) };
  const left = Math.floor((size.width - area.width) / 2);
  const top = Math.floor((size.height - area.height) / 2);
  const pixels = await image
    .extract({ left, top, ...area })
    .raw()
    .toBuffer();
  return { pixels, format: { ...area, pixelFormat: 'rgb24' } };
}

/** Peak signal-to-noise ratio of two 8-bit images of one size, in dB. */
export function psnr(a: Buffer, b: Buffer): number {
  let sum = 0;
  for (const [i, value] of a.entries()) sum += (value - (b[i] ?? 0)) ** 2;
  return 10 * Math.log10((255 * 255 * a.length) / sum);
}

/** Mean absolute difference of two lists; infinite when their lengths differ. */
export function meanDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] ?? NaN) - (b[i] ?? NaN));
  return sum / a.length;
}

/** The largest absolute difference of two lists; infinite when their lengths differ. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs((a[i] ?? NaN) - (b[i] ?? NaN)));
  return largest;
}

/** The image at half its size: the average of each 2x2 pixels. */
export function averageOfEach2x2({ data, shape }: Tensor): Float32Array {
  const [, channels, height, width] = shape;
  const averages = new Float32Array(data.length / 4);
  let to = 0;
  for (let row = 0; row < channels * height; row += 2) {
    for (let x = 0; x < width; x += 2, to++) {
      const at = row * width + x;
      const upper = (data[at] ?? 0) + (data[at + 1] ?? 0);
      averages[to] = (upper + (data[at + width] ?? 0) + (data[at + width + 1] ?? 0)) / 4;
    }
  }
  return averages;
}
