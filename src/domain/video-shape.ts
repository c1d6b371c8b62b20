import type { MediaInfo } from './media-info.ts';

/** What a video's cost depends on. */
export interface VideoShape {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly bitsPerComponent: number;
  /** As the headers claim, until they were counted; null where they say nothing. */
  readonly frames: number | null;
  /** Of the file. */
  readonly bytes: number;
}

export function shapeOf({ video, durationSeconds, bytes }: MediaInfo): VideoShape {
  const { width, height, bitsPerComponent, averageFrameRate: rate } = video;
  const seconds = video.durationSeconds ?? durationSeconds;
  const frames = seconds === null || rate === null ? null : Math.round((seconds * rate.num) / rate.den);
  return { width, height, bitsPerComponent, frames, bytes };
}
