import sharp from 'sharp';
import type { FrameFormat } from '../../domain/media-info.ts';
import { asComponents } from './pixels.ts';

/** Resamples packed RGB of either depth with Lanczos, three lobes. The frames' pixel formats are the same. */
export async function resample(pixels: Buffer, from: FrameFormat, to: FrameFormat): Promise<Buffer> {
  if (from.width === to.width && from.height === to.height) return pixels;
  const deep = from.pixelFormat === 'rgb48le';
  const image = sharp(asComponents(pixels, from), {
    raw: { width: from.width, height: from.height, channels: 3 },
    limitInputPixels: false,
  }).resize(to.width, to.height, { kernel: 'lanczos3', fit: 'fill', fastShrinkOnLoad: false });
  return deep ? image.toColourspace('rgb16').raw({ depth: 'ushort' }).toBuffer() : image.raw().toBuffer();
}
