import type { IdentifiedHome } from '../config/home.ts';
import { TransientError } from '../domain/errors.ts';
import type { Queue } from '../queue/queue.ts';
import { whyJobFolderMissing } from '../workspace/missing-folder.ts';
import { openJobs } from './open-jobs.ts';

/** Whether a scan has failed because the disk of the input folder is missing. */
export function isFolderMissing(failure: unknown): failure is TransientError {
  return failure instanceof TransientError && failure.code === 'FOLDER_MISSING';
}

/**
 * Why nothing that is left to do can be done before the disk of a folder is back; null if there is something to do, or
 * nothing left.
 *
 * @param scanFailure the error of the last scan, or null
 */
export async function whyAllWaits(
  home: IdentifiedHome,
  queue: Queue,
  scanFailure: unknown,
): Promise<string | null> {
  let missing = isFolderMissing(scanFailure) ? scanFailure.message : null;
  for (const job of openJobs(queue)) {
    const why = await whyJobFolderMissing(home, job, queue.mountPoints);
    if (why === null) return null;
    missing ??= why;
  }
  return missing;
}
