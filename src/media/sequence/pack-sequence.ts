import { basename, join } from 'node:path';
import sharp from 'sharp';
import { InputRejectedError, toError } from '../../domain/errors.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { packPngs } from './pack-pngs.ts';

/** A folder of images to pack into one video without loss. */
export interface SequenceToPack {
  readonly folder: string;
  /** Names of the images, in order. */
  readonly names: readonly string[];
  /** Frames per second, such as `30000/1001`. */
  readonly frameRate: string;
  /** Largest image that is decoded, in pixels. */
  readonly maxPixels: number;
}

/**
 * Packs the images of a folder into one MP4 file of PNG frames. sharp decodes them, as it does still images, because ffmpeg
 * ignores the orientation and the colour profile of an image.
 *
 * @throws InputRejectedError NOT_A_VIDEO if an image is damaged, BAD_SEQUENCE if it differs from the first in size or depth
 */
export async function packSequence(
  { folder, names, frameRate, maxPixels }: SequenceToPack,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  async function* images(): AsyncGenerator<Buffer> {
    let first: Shape | null = null;
    for (const name of names) {
      const { png, shape } = await readImage(join(folder, name), first, maxPixels);
      first ??= shape;
      assertSameShape(folder, [name, shape], [names[0] ?? '', first]);
      yield png;
    }
  }
  const purpose = `packing the images of ${basename(folder)}`;
  await packPngs(images(), { purpose, frameRate }, path, signal);
}

interface Shape {
  readonly width: number;
  readonly height: number;
  readonly bits: 8 | 16;
  readonly hasAlpha: boolean;
}

/** Decodes an image, upright and in sRGB. @param first shape of the first image; null if this is the first one */
async function readImage(
  path: string,
  first: Shape | null,
  maxPixels: number,
): Promise<{ png: Buffer; shape: Shape }> {
  const limitInputPixels = Number.isFinite(maxPixels) ? maxPixels : false;
  try {
    const image = sharp(path, { limitInputPixels, failOn: 'error' });
    const { depth, hasAlpha, pages = 1 } = await image.metadata();
    if (pages > 1) throw new Error('it has several pages');
    const bits = depth === 'ushort' ? 16 : 8;
    // All frames of a video have transparency, or none.
    const isTransparent = first === null ? hasAlpha : first.hasAlpha;
    const upright = image.autoOrient().toColourspace(bits === 16 ? 'rgb16' : 'srgb');
    const { data, info } = await (isTransparent ? upright.ensureAlpha() : upright.removeAlpha())
      .png({ compressionLevel: 1, palette: false })
      .toBuffer({ resolveWithObject: true });
    return { png: data, shape: { width: info.width, height: info.height, bits, hasAlpha: isTransparent } };
  } catch (error) {
    const why = withoutFullStop(toError(error).message);
    throw new InputRejectedError('NOT_A_VIDEO', `${basename(path)} cannot be decoded: ${why}.`, {
      cause: error,
    });
  }
}

function assertSameShape(
  folder: string,
  [name, shape]: readonly [string, Shape],
  [firstName, first]: readonly [string, Shape],
): void {
  const [own, wanted] = [describeShape(shape), describeShape(first)];
  if (own === wanted) return;
  throw new InputRejectedError(
    'BAD_SEQUENCE',
    `${basename(folder)} contains images of different sizes or bit depths: ${firstName} is ${wanted}, and ${name} is ${own}.`,
  );
}

function describeShape({ width, height, bits }: Shape): string {
  return `${width}x${height} with ${bits} bits`;
}
