import { TransientError } from '../domain/errors.ts';
import { ramDiskPlaces } from '../workspace/ram-disk-places.ts';
import { whyJobFolderMissing, whyMissing } from '../workspace/missing-folder.ts';
import type { JobContext } from './job-context.ts';

type Context = Pick<JobContext, 'home' | 'queue' | 'job'>;

/**
 * Checks that the folders of a job are there before something is read or created in them.
 *
 * @throws TransientError FOLDER_MISSING
 */
export async function assertFoldersPresent({ home, job, queue }: Context): Promise<void> {
  const why = await whyJobFolderMissing(home, job, queue.mountPoints);
  if (why !== null) throw new TransientError('FOLDER_MISSING', why);
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
