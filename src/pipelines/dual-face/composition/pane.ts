import type { FrameFormat } from '../../../domain/media-info.ts';

/** A rectangle of the output frame in whole pixels. */
export interface Pane {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Formats of the source and output frames, which have the same pixel format. */
export interface Sizes {
  readonly from: FrameFormat;
  readonly to: FrameFormat;
  /** Pixel width over height of the source; output pixels are square. */
  readonly pixelAspect: number;
}
