import type { BatchSizes } from '../domain/frame-batch.ts';

/** Batches in flight at once: one being decoded, one transformed, one encoded. */
export const BATCHES_IN_FLIGHT = 3;

/** What is left free of the RAM disk. */
const MARGIN = 0.15;

/**
 * How many frames a batch may have so that all batches in flight fit the RAM disk with their input and output.
 *
 * @param frame bytes of one frame before and after the pipeline
 * @param budgetBytes size of the RAM disk
 * @param request what the configuration asks for
 */
export function batchSizesFor(
  frame: { readonly inputBytes: number; readonly outputBytes: number },
  budgetBytes: number,
  request: BatchSizes,
): BatchSizes {
  const perFrame = (frame.inputBytes + frame.outputBytes) * BATCHES_IN_FLIGHT;
  const fits = Math.max(1, Math.floor((budgetBytes * (1 - MARGIN)) / perFrame));
  const batchFrames = Math.min(request.batchFrames, fits);
  return { batchFrames, firstBatchFrames: Math.min(request.firstBatchFrames, batchFrames) };
}
