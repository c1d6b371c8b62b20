import { once } from 'node:events';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { InputRejectedError, toError } from '../../domain/errors.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { QUIET } from '../ffmpeg/ffmpeg-arguments.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';

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
  const input = ['-protocol_whitelist', 'pipe', '-f', 'image2pipe', '-c:v', 'png', '-framerate', frameRate];
  const args = [...QUIET, '-y', ...input, '-i', 'pipe:0', '-c', 'copy', '-f', 'mp4', `file:${path}`];
  const child = new FfmpegProcess('ffmpeg', args, {
    purpose: `packing the images of ${basename(folder)}`,
    signal,
  });
  child.stdout.resume();
  child.extra.resume();
  const exited = child.ended.catch(() => undefined);
  try {
    let first: Shape | null = null;
    for (const name of names) {
      const { png, shape } = await readImage(join(folder, name), first, maxPixels);
      first ??= shape;
      assertSameShape(folder, [name, shape], [names[0] ?? '', first]);
      child.touch();
      if (child.stdin.destroyed) break; // `child.ended` rejects with the reason.
      if (!child.stdin.write(png))
        await Promise.race([once(child.stdin, 'drain').catch(() => exited), exited]);
    }
    child.stdin.end();
    await child.ended;
  } finally {
    await child.kill();
  }
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
    `${basename(folder)} contains images of different sizes: ${firstName} is ${wanted}, and ${name} is ${own}.`,
  );
}

function describeShape({ width, height, bits }: Shape): string {
  return `${width}x${height} with ${bits} bits`;
}
