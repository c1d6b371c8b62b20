import { dirname } from 'node:path';
import { TransientError } from '../domain/errors.ts';
import { findReadOnly } from '../workspace/find-read-only.ts';
import type { JobContext } from './job-context.ts';

/** Replaces an error with OUTPUT_READ_ONLY if a folder of the job is read-only, because that caused the error. */
export async function explainByReadOnlyFolder(
  { home, job }: Pick<JobContext, 'home' | 'job'>,
  error: Error,
): Promise<Error> {
  const folder = await findReadOnly([home.stateDir, home.jobsDir, home.output, dirname(job.outputPath)]);
  if (folder === null || error instanceof TransientError) return error;
  return new TransientError('OUTPUT_READ_ONLY', `${folder} is on a read-only file system.`, { cause: error });
}
