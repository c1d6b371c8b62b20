import { basename } from 'node:path';
import { InputRejectedError } from '../../domain/errors.ts';
import type { MediaInfo, Rational } from '../../domain/media-info.ts';
import type { FrameIndex } from '../index/frame-index.ts';

/** The video of a lip-sync job: the frames of a source at a constant rate, as many as a speech is long. */
export interface SpokenVideo {
  /** Length of the speech in seconds. */
  readonly seconds: number;
  readonly rate: Rational;
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  /**
   * How a source that is shorter continues: again from its start, backwards and forwards, or with its last frame, as the last
   * one of a source that is longer would.
   */
  readonly continues: 'loop' | 'ping-pong' | 'hold';
  /** Frames of the source itself, at this rate. */
  readonly ownFrames: number;
  /** Frames until a source that continues by loop or ping-pong repeats itself. */
  readonly cycleFrames: number;
}

/** Frames that are played backwards are all in memory, about twice. */
const MOST_BACKWARD_BYTES = 2e9;

/**
 * @param lines lines at most; null: as many as the source has
 * @throws InputRejectedError LIMIT_EXCEEDED if a video that is to be played backwards is too long
 */
export function planSpokenVideo(
  { media: { video, path }, index }: { readonly media: MediaInfo; readonly index: FrameIndex },
  {
    seconds,
    extend,
    lines,
  }: { readonly seconds: number; readonly extend: SpokenVideo['continues']; readonly lines: number | null },
): SpokenVideo {
  const rate = spokenRate(video);
  const frames = Math.max(1, Math.round((seconds * rate.num) / rate.den));
  const ownFrames = framesAtConstantRate(index, rate);
  const continues = ownFrames < frames ? extend : 'hold';
  const bytes = video.width * video.height * (video.bitsPerComponent > 8 ? 3 : 1.5);
  if (continues === 'ping-pong' && 2 * bytes * ownFrames > MOST_BACKWARD_BYTES)
    throw new InputRejectedError(
      'LIMIT_EXCEEDED',
      `${basename(path)} is too long to be played backwards; set extend to loop or hold in its recipe.`,
    );
  const height = lines === null ? video.height : Math.min(lines, video.height);
  const width =
    height === video.height ? video.width : 2 * Math.round((video.width * height) / (2 * video.height));
  const cycleFrames = Math.min(
    frames,
    { loop: ownFrames, 'ping-pong': 2 * ownFrames, hold: frames }[continues],
  );
  return { seconds, rate, frames, width, height, continues, ownFrames, cycleFrames };
}

/** The constant rate of the video under a speech. */
export function spokenRate({ averageFrameRate }: Pick<MediaInfo['video'], 'averageFrameRate'>): Rational {
  return averageFrameRate ?? { num: 25, den: 1 };
}

/** Number of frames of a source at a constant rate. */
export function framesAtConstantRate(
  { timeBase: { num, den }, pts, lastDuration }: Pick<FrameIndex, 'timeBase' | 'pts' | 'lastDuration'>,
  rate: Rational,
): number {
  const ticks = (pts.at(-1) ?? 0) + lastDuration - (pts[0] ?? 0);
  return Math.max(1, Math.round((ticks * num * rate.num) / (den * rate.den)));
}
