import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../lib/make-folder.ts';
import { publishFile } from '../../workspace/durable-file.ts';
import type { JobContext } from '../job-context.ts';
import { assertUnchanged } from './assert-unchanged.ts';
import { speechCopyOf } from './copy-speech.ts';

/**
 * Makes the video in the job folder that the job reads instead of its source. It appears under its name only when it is
 * complete; a failed or interrupted attempt leaves nothing behind that the next one does not remove.
 *
 * @param path in a folder of its own in the job folder
 * @param make writes the video under a temporary name
 */
export async function makeSubstitute(
  context: JobContext,
  path: string,
  make: (temporaryPath: string) => Promise<void>,
): Promise<void> {
  const { job, lease, signal } = context;
  // A worker that was killed may have left half a video.
  const folder = dirname(path);
  await rm(folder, { recursive: true, force: true });
  makeFolder(folder);
  // The lease token makes the name unique, so that a worker that lost its lease does not write into the same file.
  const temporaryPath = join(folder, `.${lease.token}`);
  try {
    await make(temporaryPath);
    // The source may have been replaced just before it was read.
    await assertUnchanged(job, signal, speechCopyOf(context));
    await publishFile(temporaryPath, path, 'other-file');
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
}
