import type { FrameFormat, MediaInfo } from '../domain/media-info.ts';

/** One frame's pixels, packed RGB in its FrameFormat. Whoever receives the bytes may keep them; nobody writes to them any more. */
export interface Frame {
  /** Number in the job, from 0. */
  readonly number: number;
  readonly pixels: Buffer;
}

/**
 * A pipeline turns the frames of one job into as many others. One instance a job. It lives on the transform thread,
 * and knows nothing of files, encoders or checkpoints.
 */
export interface FramePipeline {
  /** Geometry and pixel formats, known before running. Pure. */
  describe(source: MediaInfo): { input: FrameFormat; output: FrameFormat };
  /** Loads what it needs. `state` is what `snapshot` gave after the last committed batch, null at the start. */
  open(source: MediaInfo, state: Uint8Array | null): Promise<void>;
  /** One frame out for each frame in, in order. Stops with StoppedError when `signal` is aborted. */
  process(frames: AsyncIterable<Frame> | Iterable<Frame>, signal: AbortSignal): AsyncIterable<Frame>;
  /** State to store with the checkpoint; null when frames do not depend on each other. */
  snapshot(): Uint8Array | null;
  /** Safe after a failed open; may be called twice. */
  close(): Promise<void>;
  /** One sentence for the log: which engine runs which network on what, and why. Known after `open`. */
  readonly summary: string;
}
