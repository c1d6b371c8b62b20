import { basename } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { InputRejectedError } from '../domain/errors.ts';
import type { FrameFormat, MediaInfo } from '../domain/media-info.ts';
import type { UpscaleRecipe } from '../domain/recipe.ts';
import { isSeekable } from '../media/decode/decoder-entry.ts';
import { FrameDecoder, frameBuffer } from '../media/decode/decoder.ts';
import { indexFrames, type FrameIndex } from '../media/index/frame-index.ts';
import { probeMedia } from '../media/probe/probe-media.ts';
import { stillFormatOf } from '../media/still/still-format.ts';
import { readStill, shapeOfImage, stillOfFrame, type StillImage } from '../media/still/still-image.ts';
import { describePipeline } from '../pipelines/describe-pipeline.ts';

/** One frame of a source, decoded as a job would decode it. */
export interface TakenFrame {
  readonly media: MediaInfo;
  /** Time of the frame in seconds from the start of the file; null for a still image. */
  readonly atSeconds: number | null;
  /** The frame as an image, with the profile and transparency that a still image has. */
  readonly image: StillImage;
}

/** Decoding starts this long before the wanted time, because deinterlacing needs the frames before it. */
const SECONDS_BEFORE = 3;
const SECONDS_AFTER = 2;

/**
 * Takes one frame of a video, or a whole still image.
 *
 * @param atSeconds null: the middle of the video
 * @throws InputRejectedError if there is no such frame
 */
export async function takeFrame(
  path: string,
  atSeconds: number | null,
  recipe: UpscaleRecipe,
  limits: Settings['limits'],
  signal: AbortSignal,
): Promise<TakenFrame> {
  const media = await probeMedia(path, limits, signal);
  const format = await stillFormatOf(path);
  if (format !== null) {
    const image = await readStill(path, format, limits.inputMegapixels * 1e6);
    return { media: { ...media, video: { ...media.video, ...shapeOfImage(image) } }, atSeconds: null, image };
  }
  const at = atSeconds ?? (media.video.durationSeconds ?? media.durationSeconds ?? 0) / 2;
  const index = await indexAround(media, at, 0, limits, signal);
  const number = frameAt(media, index, at);
  const { input } = describePipeline(recipe, media).formats;
  const maxPixels = limits.inputMegapixels * 1e6;
  const pixels = await decode(media, index, number, input, maxPixels, signal);
  return { media, atSeconds: timeOf(media, index, number), image: stillOfFrame(pixels, input) };
}

/** The index of the frames of some seconds and of those around them; from the start of the file where it cannot seek. */
export function indexAround(
  media: MediaInfo,
  at: number,
  seconds: number,
  limits: Settings['limits'],
  signal: AbortSignal,
): Promise<FrameIndex> {
  const from = isSeekable(media) ? Math.max(0, at - SECONDS_BEFORE) : 0;
  return indexFrames(media, {
    limits,
    signal,
    section: { from, length: at + seconds + SECONDS_AFTER - from },
  });
}

/** Number of the first frame at or after a time. */
export function frameAt(media: MediaInfo, index: FrameIndex, at: number): number {
  const number = index.pts.findIndex((_, i) => timeOf(media, index, i) >= at - 0.0005);
  if (number >= 0) return number;
  const last = timeOf(media, index, index.pts.length - 1);
  throw new InputRejectedError(
    'NO_DECODABLE_FRAME',
    `${basename(media.path)} has no frame at ${at} s; its last frame is at ${last.toFixed(1)} s.`,
  );
}

/** Time of a frame in seconds from the start of the file. */
export function timeOf({ startSeconds }: MediaInfo, { pts, timeBase }: FrameIndex, number: number): number {
  return ((pts[number] ?? 0) * timeBase.num) / timeBase.den - startSeconds;
}

async function decode(
  media: MediaInfo,
  index: FrameIndex,
  number: number,
  format: FrameFormat,
  maxPixels: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const decoder = new FrameDecoder(media, index, number, { format, signal, maxPixels });
  try {
    const pixels = frameBuffer(format);
    await decoder.read(pixels);
    return pixels;
  } finally {
    await decoder.close();
  }
}
