import type { IdentifiedHome } from '../config/home.ts';
import { toError } from '../domain/errors.ts';
import type { Job } from '../domain/job.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';
import type { Logger } from '../observability/log-entry.ts';
import { JobFolder } from './job-folder.ts';

/**
 * Deletes the copies of a lip-sync job that failed permanently. One whose source is missing keeps them, because it is retried
 * when the source is back. Never rejects: copies that are left only use disk space, and the daemon tries again when it
 * starts.
 *
 * @param job as it is in the queue now; null if it was deleted
 */
export async function removeCopiesOfFailedJob(
  home: IdentifiedHome,
  job: Pick<Job, 'id' | 'state' | 'errorCode'> | null,
  log: Logger,
): Promise<void> {
  if (job?.state !== 'failed' || job.errorCode === 'SOURCE_MISSING') return;
  try {
    await new JobFolder(home, job.id).removeCopies();
  } catch (error) {
    const why = withoutFullStop(toError(error).message);
    log.warn(`cannot delete the copies of the video and the speech of job ${job.id}: ${why}`);
  }
}
