import type { IdentifiedHome } from '../config/home.ts';
import { toError } from '../domain/errors.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Queue } from '../queue/queue.ts';
import { mountsOfRoot, ramDiskPlaces } from '../workspace/ram-disk-places.ts';
import { removeCopiesOfFailedJobs, removeIdleRamDisks, removeLeftovers } from './housekeeping.ts';

/** Removes leftovers of dead processes. Call it only while no worker runs. Never rejects: what is left does no harm. */
export async function cleanUp(home: IdentifiedHome, queue: Queue, log: Logger): Promise<void> {
  try {
    const removed = await removeLeftovers(home, queue);
    if (removed.length > 0) log.info(`removed leftovers of dead processes: ${removed.join(', ')}`);
    await removeCopiesOfFailedJobs(home, queue, log);
    for (const path of await mountsOfRoot(ramDiskPlaces(home)))
      log.warn(
        `${path}: this RAM disk of a dead process still uses memory and belongs to root; to free it: sudo umount ${path}`,
      );
  } catch (error) {
    log.warn(`cannot remove leftovers of dead processes: ${toError(error).message}`);
  }
}

/**
 * Releases the RAM disks of all jobs that are not running. Little is lost: they hold at most the frames of the batches in
 * progress. Never rejects.
 */
export async function releaseRamDisks(home: IdentifiedHome, queue: Queue, log: Logger): Promise<void> {
  try {
    await removeIdleRamDisks(home, queue);
  } catch (error) {
    log.warn(`cannot release a RAM disk: ${toError(error).message}`);
  }
}
