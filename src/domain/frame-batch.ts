/** Consecutive frames of a job that are checkpointed together. Frames are numbered from 0 in display order. */
export interface BatchRange {
  readonly number: number;
  readonly firstFrame: number;
  readonly frameCount: number;
}

/** How the frames of a job are divided into batches; decided and stored when the job first starts. */
export interface BatchSizes {
  /** Frames in batch 0, small so that the first estimate comes early. */
  readonly firstBatchFrames: number;
  /** Frames in every later batch except the last. */
  readonly batchFrames: number;
}

/** Range of batch `number` in a job with `framesTotal` frames; null past the end. */
export function batchRange(sizes: BatchSizes, framesTotal: number, number: number): BatchRange | null {
  const firstFrame = number === 0 ? 0 : sizes.firstBatchFrames + (number - 1) * sizes.batchFrames;
  if (firstFrame >= framesTotal) return null;
  const size = number === 0 ? sizes.firstBatchFrames : sizes.batchFrames;
  return { number, firstFrame, frameCount: Math.min(size, framesTotal - firstFrame) };
}

/** Number of batches in a job with `framesTotal` frames. */
export function batchCount(sizes: BatchSizes, framesTotal: number): number {
  if (framesTotal <= sizes.firstBatchFrames) return framesTotal > 0 ? 1 : 0;
  return 1 + Math.ceil((framesTotal - sizes.firstBatchFrames) / sizes.batchFrames);
}

/** Batches of a job that are not in `present`, in order. */
export function missingBatches(
  sizes: BatchSizes,
  framesTotal: number,
  present: ReadonlySet<number>,
): BatchRange[] {
  const missing: BatchRange[] = [];
  for (let number = 0; ; number++) {
    const range = batchRange(sizes, framesTotal, number);
    if (range === null) return missing;
    if (!present.has(number)) missing.push(range);
  }
}
