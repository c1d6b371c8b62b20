import type { BatchRange } from '../../domain/frame-batch.ts';
import type { EncoderName } from '../../media/encode/encoder-arguments.ts';
import type { SegmentJob } from '../../media/encode/encode-segment.ts';

/** The record of one batch on its way through the stages, as the decode stage hands it on. */
export interface DecodedBatch {
  readonly range: BatchRange;
  /** The time at which work on the batch began, from `performance.now`. */
  readonly startedAtMs: number;
  /** File of the raw source frames; may be empty where all frames are already transformed. */
  readonly inputPath: string;
  /** File of the transformed frames. */
  readonly outputPath: string;
  /** Frames that an earlier process had already transformed into `outputPath`. */
  readonly framesReady: number;
}

/** The same batch, as the transform stage hands it on. */
export interface TransformedBatch {
  readonly range: BatchRange;
  readonly startedAtMs: number;
  /** File of all transformed frames. */
  readonly outputPath: string;
  /** Frames, and parts of frames, whose result was that of the previous frame; null if that is not known. */
  readonly framesReused: number | null;
}

/** The same batch, as the encode stage hands it on. Its frames are kept until the segment has been verified. */
export interface EncodedBatch extends TransformedBatch {
  readonly segment: SegmentJob;
  /** Name of the segment once it is published. */
  readonly segmentName: string;
  readonly encoder: EncoderName;
}
