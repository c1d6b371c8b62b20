import type { BatchSizes } from '../domain/frame-batch.ts';

/** Batches in flight at the same time: one is decoded, one transformed, one encoded. */
export const BATCHES_IN_FLIGHT = 3;

/** Share of the RAM disk that is left free. */
const MARGIN = 0.15;

/**
 * Largest batch sizes with which input and output of all batches in flight fit on the RAM disk, up to the requested sizes.
 *
 * @param frame bytes of one frame before and after the pipeline
 * @param budgetBytes size of the RAM disk
 * @param request sizes in the settings
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
