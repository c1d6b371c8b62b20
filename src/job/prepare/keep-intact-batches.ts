import type { CommittedBatch } from '../../domain/job.ts';
import { counted } from '../../lib/counted.ts';
import { leaseLost } from '../../queue/lease-guard.ts';
import { LEASE_MS } from '../../queue/lease-store.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';

/**
 * Compares every checkpoint with its segment, byte for byte. Removes the row of a segment that is missing or damaged, so
 * that its frames are processed again, and every file in the segment folder that no row names.
 *
 * @returns the intact checkpoints, in order
 */
export async function keepIntactBatches(
  { queue, job, lease, log, signal }: JobContext,
  folder: JobFolder,
): Promise<CommittedBatch[]> {
  const intact: CommittedBatch[] = [];
  for (const batch of queue.batches.listBatches(job.id)) {
    signal.throwIfAborted();
    if (await folder.isIntact(batch)) {
      intact.push(batch);
      continue;
    }
    log.warn(
      `segment of batch ${batch.number} is missing or damaged; processing ${counted(batch.frameCount, 'frame')} again`,
    );
    queue.batches.removeBatch(lease, batch.number);
  }
  // A worker that lost its lease during the check must not remove the segments of the next one.
  if (!queue.leases.renew(lease, Date.now(), LEASE_MS)) throw leaseLost(lease);
  await folder.removeStrangers(new Set(intact.map((batch) => batch.segmentName)));
  return intact;
}
