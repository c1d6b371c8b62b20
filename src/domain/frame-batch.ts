/** A run of consecutive frames of a job: the unit of checkpointing. Frames are numbered from 0 in display order. */
export interface BatchRange {
  readonly number: number;
  readonly firstFrame: number;
  readonly frameCount: number;
}

/** How a job's frames are cut into batches; decided once, when the job starts, and stored with it. */
export interface BatchSizes {
  /** Frames in batch 0, small so that the first estimate comes early. */
  readonly firstBatchFrames: number;
  /** Frames in every later batch but the last. */
  readonly batchFrames: number;
}

/** Batch `number` of a job of `framesTotal` frames, or null past the end. */
export function batchRange(sizes: BatchSizes, framesTotal: number, number: number): BatchRange | null {
  const firstFrame = number === 0 ? 0 : sizes.firstBatchFrames + (number - 1) * sizes.batchFrames;
  if (firstFrame >= framesTotal) return null;
  const size = number === 0 ? sizes.firstBatchFrames : sizes.batchFrames;
  return { number, firstFrame, frameCount: Math.min(size, framesTotal - firstFrame) };
}

/** How many batches a job of `framesTotal` frames has. */
export function batchCount(sizes: BatchSizes, framesTotal: number): number {
  if (framesTotal <= sizes.firstBatchFrames) return framesTotal > 0 ? 1 : 0;
  return 1 + Math.ceil((framesTotal - sizes.firstBatchFrames) / sizes.batchFrames);
}

/** The batches of a job that are not in `present`, in order. */
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
