import type { MediaInfo } from './media-info.ts';

/** Properties of a video that determine its cost. */
export interface VideoShape {
  /** Width in pixels. */
  readonly width: number;
  readonly height: number;
  readonly bitsPerComponent: number;
  /** Frame count according to the headers, until frames have been counted; null if unknown. */
  readonly frames: number | null;
  /** Size of the file. */
  readonly bytes: number;
  /** Format of a still image, such as `jpeg`; absent for videos, and where an older version has stored the shape. */
  readonly codec?: string;
}

export function shapeOf({ video, durationSeconds, bytes }: MediaInfo): VideoShape {
  const { width, height, bitsPerComponent, codec, averageFrameRate: rate } = video;
  const seconds = video.durationSeconds ?? durationSeconds;
  if (video.isStill) return { width, height, bitsPerComponent, frames: 1, bytes, codec };
  const frames = seconds === null || rate === null ? null : Math.round((seconds * rate.num) / rate.den);
  return { width, height, bitsPerComponent, frames, bytes };
}
