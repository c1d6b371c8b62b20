import { InputRejectedError } from '../domain/errors.ts';
import type { FrameFormat, MediaInfo } from '../domain/media-info.ts';
import type { Settings } from '../config/settings.ts';
import type { UpscaleRecipe } from '../domain/recipe.ts';
import { FrameDecoder, frameBuffer } from '../media/decode/decoder.ts';
import { cropFrame, type Window } from '../pipelines/crop-frame.ts';
import { describePipeline } from '../pipelines/describe-pipeline.ts';
import { frameAt, indexAround, timeOf } from './take-frame.ts';

/** The same part of successive frames of a video. */
export interface TakenClip {
  /** The source, with the size of the part. */
  readonly media: MediaInfo;
  readonly format: FrameFormat;
  readonly frames: readonly Buffer[];
  readonly framesPerSecond: number;
}

export interface ClipRequest {
  readonly media: MediaInfo;
  readonly atSeconds: number;
  readonly seconds: number;
  /** Centre of the part, as shares of the width and height. */
  readonly detail: { readonly x: number; readonly y: number };
}

/** Largest size of the part after upscaling, so that a large model does not take hours and two fit on a screen. */
const LARGEST = { width: 640, height: 480 };
/** All frames of two results are in memory at once: 0.6 GB, or 1.1 GB where the source has more than 8 bits. */
const MOST_FRAMES = 300;

/**
 * Takes the frames of some seconds of a video, cut to the part around its detail.
 *
 * @throws InputRejectedError if there are not two frames in that time
 */
export async function takeClip(
  { media, atSeconds, seconds, detail }: ClipRequest,
  recipe: UpscaleRecipe,
  limits: Settings['limits'],
  signal: AbortSignal,
): Promise<TakenClip> {
  const index = await indexAround(media, atSeconds, seconds, limits, signal);
  const first = frameAt(media, index, atSeconds);
  const times: number[] = [];
  for (let number = first; number < index.pts.length && times.length < MOST_FRAMES; number++) {
    const time = timeOf(media, index, number);
    if (time >= atSeconds + seconds) break;
    times.push(time);
  }
  const [begin, end] = [times[0], times.at(-1)];
  if (begin === undefined || end === undefined || end <= begin)
    throw new InputRejectedError(
      'NO_DECODABLE_FRAME',
      'The clip would have a single frame; choose an earlier time or more seconds.',
    );
  const { input } = describePipeline(recipe, media).formats;
  const part = partAround(detail, input, recipe.scale);
  const format: FrameFormat = { ...input, width: part.width, height: part.height };
  const decoder = new FrameDecoder(media, index, first, {
    ...{ format: input, signal, maxPixels: limits.inputMegapixels * 1e6 },
  });
  try {
    const whole = frameBuffer(input);
    const frames: Buffer[] = [];
    while (frames.length < times.length) {
      await decoder.read(whole);
      frames.push(cropFrame(whole, input, part));
    }
    const { width, height } = part;
    return {
      media: { ...media, video: { ...media.video, width, height } },
      ...{ format, frames, framesPerSecond: (frames.length - 1) / (end - begin) },
    };
  } finally {
    await decoder.close();
  }
}

function partAround({ x, y }: ClipRequest['detail'], { width, height }: FrameFormat, scale: number): Window {
  const size = (whole: number, most: number): number => Math.min(whole, Math.floor(most / scale));
  const start = (whole: number, part: number, centre: number): number =>
    Math.round(Math.min(whole - part, Math.max(0, centre * whole - part / 2)));
  const part = { width: size(width, LARGEST.width), height: size(height, LARGEST.height) };
  return { x: start(width, part.width, x), y: start(height, part.height, y), ...part };
}
