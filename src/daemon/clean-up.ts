import type { Home } from '../config/home.ts';
import { toError } from '../domain/errors.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Queue } from '../queue/queue.ts';
import { removeIdleRamDisks, removeLeftovers } from './housekeeping.ts';

/** Removes leftovers of dead processes. Call it only while no worker runs. Never rejects: what is left does no harm. */
export async function cleanUp(home: Home, queue: Queue, log: Logger): Promise<void> {
  try {
    const removed = await removeLeftovers(home, queue);
    if (removed.length > 0) log.info(`removed leftovers of dead processes: ${removed.join(', ')}`);
  } catch (error) {
    log.warn(`cannot remove leftovers of dead processes: ${toError(error).message}`);
  }
}

/**
 * Releases the RAM disks of all jobs that are not running. Little is lost: they hold at most the frames of the batches in
 * progress. Never rejects.
 */
export async function releaseRamDisks(home: Home, queue: Queue, log: Logger): Promise<void> {
  try {
    await removeIdleRamDisks(home, queue);
  } catch (error) {
    log.warn(`cannot release a RAM disk: ${toError(error).message}`);
  }
}
