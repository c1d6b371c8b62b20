import { basename } from 'node:path';
import { InputRejectedError } from '../../domain/errors.ts';
import type { FrameFormat, MediaInfo, Rational } from '../../domain/media-info.ts';
import type { OutputTiming } from '../encode/output-timing.ts';

/** GIF stores times in hundredths of a second. */
export const GIF_TICKS_PER_SECOND = 100;
/** Players show a frame that is to last for less than this for a tenth of a second. */
const LEAST_TICKS = 2;
const MOST_TICKS = 0xffff;
const LONGEST_SIDE = 0xffff;

const HDR_TRANSFERS: ReadonlySet<string | null> = new Set(['smpte2084', 'arib-std-b67']);

/** The size of a GIF with square pixels, because players ignore any other aspect ratio. */
export function gifSize<Format extends FrameFormat>(format: Format, { num, den }: Rational): Format {
  return { ...format, width: Math.round((format.width * num) / den) };
}

/**
 * Checks that a video can become a GIF without losing frames.
 *
 * @param size in pixels, of the GIF
 * @throws InputRejectedError OUTPUT_NOT_ALLOWED, because another container would do
 */
export function assertFitsGif(
  { path, video }: Pick<MediaInfo, 'path' | 'video'>,
  { pts, timescale, lastDuration }: OutputTiming,
  { width, height }: FrameFormat,
): void {
  const name = basename(path);
  const choose = 'choose another output.container';
  if (HDR_TRANSFERS.has(video.color.transfer))
    throw new InputRejectedError(
      'OUTPUT_NOT_ALLOWED',
      `${name} is HDR, which GIF does not support; ${choose}.`,
    );
  if (Math.max(width, height) > LONGEST_SIDE)
    throw new InputRejectedError('OUTPUT_NOT_ALLOWED', `${name} would be too large for GIF; ${choose}.`);
  const ticks = (at: number): number => Math.round((at * GIF_TICKS_PER_SECOND) / timescale);
  const first = pts[0] ?? 0;
  for (let frame = 1; frame <= pts.length; frame++) {
    const begin = (pts[frame - 1] ?? 0) - first;
    const end = frame === pts.length ? begin + lastDuration : (pts[frame] ?? 0) - first;
    const shown = ticks(end) - ticks(begin);
    if (shown < LEAST_TICKS)
      throw new InputRejectedError(
        'OUTPUT_NOT_ALLOWED',
        `${name} shows frame ${frame - 1} for less than ${(LEAST_TICKS * 1000) / GIF_TICKS_PER_SECOND} ms, the shortest time that players of GIF support; ${choose}, or reduce the frame rate to 50 or less.`,
      );
    if (shown > MOST_TICKS)
      throw new InputRejectedError(
        'OUTPUT_NOT_ALLOWED',
        `${name} shows frame ${frame - 1} for longer than GIF supports (${Math.floor(MOST_TICKS / GIF_TICKS_PER_SECOND)} s); ${choose}.`,
      );
  }
}
