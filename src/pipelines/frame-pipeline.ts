import type { FrameFormat, MediaInfo, Rational } from '../domain/media-info.ts';

/** One frame's pixels, packed RGB in its FrameFormat. Whoever receives the bytes may keep them; nobody writes to them any more. */
export interface Frame {
  /** Number in the job, from 0. */
  readonly number: number;
  readonly pixels: Buffer;
}

/** Geometry and pixel formats of a job's frames. */
export interface PipelineFormats {
  readonly input: FrameFormat;
  readonly output: FrameFormat;
  /** Pixel width over height of the output. */
  readonly outputAspect: Rational;
}

/** A tile size that fits the memory of a device, found after a larger one had run out of memory. */
export interface ReducedTile {
  readonly device: 'cpu' | 'gpu';
  /** Edge of a tile in source pixels. */
  readonly tile: number;
}

/**
 * A pipeline turns the frames of one job into as many others. One instance a job. It lives on the transform thread,
 * and knows nothing of files, encoders or checkpoints.
 */
export interface FramePipeline {
  /** Loads what it needs. */
  open(source: MediaInfo): Promise<void>;
  /**
   * One frame out for each frame of a batch, in order. Stops with StoppedError when `signal` is aborted.
   *
   * @param state what `snapshot` gave after the batch before, null for the first one. It is all that is known of
   *   earlier frames, in a job that was stopped as in one that was not, so both give the same frames.
   */
  process(
    frames: AsyncIterable<Frame> | Iterable<Frame>,
    state: Uint8Array | null,
    signal: AbortSignal,
  ): AsyncIterable<Frame>;
  /** State after the last processed batch; null for a pipeline without state. */
  snapshot(): Uint8Array | null;
  /** One sentence for the log after the job's last batch: what was out of the ordinary; null: nothing to tell. */
  conclusion(): string | null;
  /** Safe after a failed open; may be called twice. */
  close(): Promise<void>;
  /** The tile size that was reduced last because memory was short; null while none was. */
  readonly reducedTile: ReducedTile | null;
  /** One sentence for the log: which engine runs which model on what, and why. Known after `open`. */
  readonly summary: string;
}
