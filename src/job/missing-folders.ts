import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { contains } from '../config/home.ts';
import { TransientError } from '../domain/errors.ts';
import { ramDiskPlaces } from '../workspace/ram-disk-places.ts';
import { whyMissing } from '../workspace/missing-folder.ts';
import type { JobContext } from './job-context.ts';

type Context = Pick<JobContext, 'home' | 'queue' | 'job'>;

/**
 * Checks that the folders of a job are there before something is read or created in them: a folder created in place of a
 * disk that is away would be hidden once it is back.
 *
 * @throws TransientError FOLDER_MISSING
 */
export async function assertFoldersPresent(context: Context): Promise<void> {
  const { home, job, queue } = context;
  for (const folder of [home.jobsDir, home.output, dirname(job.outputPath), home.input]) {
    const why = await whyMissing(folder, queue.mountPoints);
    if (why !== null) throw new TransientError('FOLDER_MISSING', why);
  }
  const sourceFolder = dirname(job.sourcePath);
  if (job.publishedAtMs !== null || contains(home.input, sourceFolder)) return;
  // Outside input/ nobody creates folders again.
  if (!existsSync(sourceFolder))
    throw new TransientError('FOLDER_MISSING', `${sourceFolder} is missing; reconnect its disk.`);
}

/** Replaces an error with FOLDER_MISSING if a folder of the job is missing, because that caused the error. */
export async function explainByMissingFolder(context: Context, error: Error): Promise<Error> {
  const { home, queue } = context;
  const { mount, folder } = ramDiskPlaces(home).folders;
  try {
    await assertFoldersPresent(context);
  } catch (missing) {
    return missing instanceof TransientError ? missing : error;
  }
  for (const each of [home.models, mount, folder]) {
    const why = await whyMissing(each, queue.mountPoints);
    if (why !== null) return new TransientError('FOLDER_MISSING', why, { cause: error });
  }
  return error;
}
