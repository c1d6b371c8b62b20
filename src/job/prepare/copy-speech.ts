import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { contains } from '../../config/home.ts';
import { InputRejectedError } from '../../domain/errors.ts';
import type { LipSyncRecipe } from '../../domain/recipe.ts';
import { speechElsewhere } from '../../domain/speech-files.ts';
import { isMissingFile } from '../../lib/file-errors.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { isInside, openRegularFile } from '../../lib/open-regular-file.ts';
import { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { assertUnchanged } from './assert-unchanged.ts';

/**
 * Copies the speech of a lip-sync job into its folder, and checks that the source and the copy are what was queued. The job
 * reads the copy only. The file is opened once, and it is the open file that has to be in the input folder: whoever may write
 * to that folder could replace a part of the path by a link, and would hear another file of this user in the output.
 *
 * @returns the path of the copy, which every run of the job makes again
 * @throws InputRejectedError BAD_RECIPE if the speech of a video in the input folder is somewhere else; otherwise as
 *   `assertUnchanged` does
 */
export async function copySpeech(
  context: JobContext,
  folder: JobFolder,
  { audio }: LipSyncRecipe,
): Promise<string> {
  const { home, job, lease, signal } = context;
  if (audio === undefined)
    throw new InputRejectedError(
      'NO_AUDIO',
      `${basename(job.sourcePath)} has no speech; name one as audio in its recipe.`,
    );
  const copy = folder.speechCopy(lease, audio);
  try {
    const file = await openRegularFile(audio);
    if (file === null)
      throw new InputRejectedError(
        'NOT_A_REGULAR_FILE',
        `${basename(audio)}, the speech of ${basename(job.sourcePath)}, is no longer a regular file.`,
      );
    try {
      if (mustBeInInput(context, audio) && !(await isInside(file, home.input)))
        throw speechElsewhere(job.sourcePath, audio, home.input);
      // A worker that was killed may have left one.
      await rm(folder.speech, { recursive: true, force: true });
      makeFolder(dirname(copy));
      await pipeline(file.createReadStream({ autoClose: false }), createWriteStream(copy), { signal });
    } finally {
      await file.close();
    }
  } catch (error) {
    // The check says which of them is gone, the video or its speech.
    if (isMissingFile(error)) await assertUnchanged(job, signal);
    throw error;
  }
  await assertUnchanged(job, signal, copy);
  return copy;
}

/** The path of the copy that `copySpeech` makes; undefined for a job without a speech of its own. */
export function speechCopyOf({
  home,
  job,
  lease,
}: Pick<JobContext, 'home' | 'job' | 'lease'>): string | undefined {
  const { recipe, id } = job;
  if (recipe.pipeline !== 'lip-sync' || recipe.audio === undefined) return undefined;
  return new JobFolder(home, id).speechCopy(lease, recipe.audio);
}

/** Users of this machine may name any file, but a path in the input folder is in the hands of whoever may write there. */
function mustBeInInput({ home, job: { origin } }: JobContext, audio: string): boolean {
  return origin === 'watch' || (origin === 'add' && contains(home.input, audio));
}
