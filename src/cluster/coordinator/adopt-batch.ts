import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectStore } from '../../cloud/object-store/object-store.ts';
import type { BatchRange } from '../../domain/frame-batch.ts';
import type { JobContext } from '../../job/job-context.ts';
import { isMissingFile } from '../../lib/file-errors.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { FinishedBatch } from '../protocol.ts';

/**
 * Fetches the segment of a batch that a worker has finished, makes it durable and commits it. The worker has decoded and
 * counted the segment before it hashed it; the hash says that this is the same file.
 *
 * @returns whether the segment was whole; nothing is committed otherwise
 */
export async function adoptBatch(
  { queue, lease, signal }: JobContext,
  folder: JobFolder,
  store: ObjectStore,
  range: BatchRange,
  batch: FinishedBatch,
): Promise<boolean> {
  if (batch.frameCount !== range.frameCount) return false;
  const segmentName = `b${String(range.number).padStart(4, '0')}.${lease.token}.mp4`;
  const temporaryPath = join(folder.segments, `${segmentName}.tmp`);
  try {
    await store.getFile(batch.segmentKey, temporaryPath, { signal });
  } catch (error) {
    if (isMissingFile(error) || (error instanceof Error && error.name === 'MissingObject')) return false;
    throw error;
  }
  const { bytes, sha256 } = await folder.publishSegment(temporaryPath, segmentName);
  if (sha256 !== batch.segmentSha256) {
    await rm(folder.segmentPath(segmentName), { force: true });
    return false;
  }
  queue.batches.commitBatch(
    lease,
    {
      ...{ ...range, segmentName, segmentBytes: bytes, segmentSha256: sha256 },
      ...{ encoder: batch.encoder, framesReused: batch.framesReused },
      elapsedMs: batch.elapsedMs,
      analysisMs: null,
    },
    Date.now(),
  );
  return true;
}
