import type { BatchSizes } from '../domain/frame-batch.ts';

/** Batches in flight at the same time: one is decoded, one transformed, one encoded or verified. */
export const BATCHES_IN_FLIGHT = 3;

/** Share of the RAM disk that is left free. */
const MARGIN = 0.15;

/** Frames of a batch where the settings leave it open, and the most where frames are small. */
const USUAL_FRAMES = 60;
const MOST_FRAMES = 600;

/**
 * Bytes of transformed frames up to which a batch has more frames than usual. Starting ffmpeg twice takes 0.1 s of CPU time for
 * each batch, and encoding and decoding these frames takes at least 4 s. See docs/decisions/0073-stages-beside-each-other.md.
 */
const SMALL_BATCH_BYTES = 128 * 1024 ** 2;

/** The batch sizes in the settings. */
export interface BatchRequest extends Omit<BatchSizes, 'batchFrames'> {
  readonly batchFrames: number | 'auto';
}

/** One frame before and after the pipeline. */
export interface BatchFrame {
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** Whether a frame may take seconds: then a long batch would lose much work in a power cut, and gain nothing. */
  readonly isSlow: boolean;
}

/**
 * Largest batch sizes with which input and output of all batches in flight fit on the RAM disk, up to the requested sizes.
 *
 * @param budgetBytes size of the RAM disk
 */
export function batchSizesFor(frame: BatchFrame, budgetBytes: number, request: BatchRequest): BatchSizes {
  const perFrame = (frame.inputBytes + frame.outputBytes) * BATCHES_IN_FLIGHT;
  const fits = Math.max(1, Math.floor((budgetBytes * (1 - MARGIN)) / perFrame));
  const wanted = request.batchFrames === 'auto' ? framesFor(frame) : request.batchFrames;
  const batchFrames = Math.min(wanted, fits);
  return { batchFrames, firstBatchFrames: Math.min(request.firstBatchFrames, batchFrames) };
}

function framesFor({ outputBytes, isSlow }: BatchFrame): number {
  if (isSlow) return USUAL_FRAMES;
  return Math.min(Math.max(USUAL_FRAMES, Math.floor(SMALL_BATCH_BYTES / outputBytes)), MOST_FRAMES);
}
