import type { Job } from '../../domain/job.ts';
import { isMissingFile } from '../../lib/file-errors.ts';
import { stillFormatOf, type StillFormat } from '../../media/still/still-format.ts';

/** The format of the source of a job if it is a still image; null if it is a video, or gone. */
export async function stillFormatOfJob({ sourcePath }: Job): Promise<StillFormat | null> {
  try {
    return await stillFormatOf(sourcePath);
  } catch (error) {
    if (isMissingFile(error)) return null; // Preparing the job as a video says so.
    throw error;
  }
}
