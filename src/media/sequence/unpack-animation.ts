import { basename } from 'node:path';
import sharp from 'sharp';
import { toError } from '../../domain/errors.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { tableExpression } from '../encode/table-expression.ts';
import { damagedAnimation, readAnimation, type Animation } from '../still/animated-webp.ts';
import { packPngs } from './pack-pngs.ts';

/** Frames are decoded in groups of at most this size, because libvips decodes all frames before a group again. */
const GROUP_BYTES = 256e6;

/**
 * Packs the frames of an animated WebP file into an MP4 file of PNG frames with the same times, because ffmpeg 5.1 cannot
 * decode such files.
 *
 * @throws InputRejectedError NOT_A_VIDEO if it is damaged
 */
export async function unpackAnimation(path: string, target: string, signal: AbortSignal): Promise<void> {
  const animation = await readAnimation(path);
  const starts: number[] = [];
  let atMs = 0;
  for (const delay of animation.delaysMs) {
    starts.push(atMs);
    atMs += delay;
  }
  const times = tableExpression(starts);
  const filter = `setts=pts='${times}':dts='${times}':duration='${tableExpression(animation.delaysMs)}'`;
  const purpose = `unpacking ${basename(path)}`;
  await packPngs(readFrames(path, animation), { purpose, frameRate: '1000', filter }, target, signal);
}

async function* readFrames(
  path: string,
  { width, height, hasAlpha, delaysMs }: Animation,
): AsyncGenerator<Buffer> {
  const channels = hasAlpha ? 4 : 3;
  const bytes = width * height * channels;
  const most = Math.max(1, Math.floor(GROUP_BYTES / bytes));
  for (let page = 0; page < delaysMs.length; page += most) {
    const pages = Math.min(most, delaysMs.length - page);
    const group = await decode(path, { page, pages, hasAlpha });
    for (let at = 0; at < pages; at++) {
      const pixels = group.subarray(at * bytes, (at + 1) * bytes);
      yield await sharp(pixels, { raw: { width, height, channels } })
        .png({ compressionLevel: 1, palette: false })
        .toBuffer();
    }
  }
}

async function decode(
  path: string,
  { page, pages, hasAlpha }: { readonly page: number; readonly pages: number; readonly hasAlpha: boolean },
): Promise<Buffer> {
  try {
    // The size of a frame was checked by its header.
    const image = sharp(path, { page, pages, limitInputPixels: false, failOn: 'error' }).toColourspace(
      'srgb',
    );
    return await (hasAlpha ? image.ensureAlpha() : image.removeAlpha()).raw().toBuffer();
  } catch (error) {
    throw damagedAnimation(path, `: ${withoutFullStop(toError(error).message)}`, error);
  }
}
