import { lstat, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { toError } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import { speechPaths } from '../../domain/speech-files.ts';
import { hasVideoExtension } from '../../domain/video-extensions.ts';
import { assertSameFile, readFileSignature, type SignedFile } from '../../lib/file-signature.ts';
import { isMissingFile } from '../../lib/file-errors.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { syncFolder } from '../../workspace/durable-file.ts';
import { moveAside } from '../../workspace/move-aside.ts';
import type { JobContext } from '../job-context.ts';

/**
 * The speech of a lip-sync job if it goes where its video goes: it is beside the video and has its name. One that the recipe
 * names may be for other videos too, and stays.
 *
 * @returns null if there is none
 */
export async function speechBeside({ recipe, sourcePath }: Job): Promise<SignedFile | null> {
  if (recipe.pipeline !== 'lip-sync' || recipe.audio === undefined) return null;
  const path = recipe.audio;
  if (!speechPaths(sourcePath).includes(path)) return null;
  try {
    return (await lstat(path)).isFile() ? { path, signature: await readFileSignature(path) } : null;
  } catch (error) {
    if (isMissingFile(error)) return null;
    throw error;
  }
}

/** Moves or deletes a speech after its video. It stays if another video has that name, or if another job may still need it. */
export async function settleSpeech(context: JobContext, speech: SignedFile): Promise<void> {
  try {
    const stem = nameOf(speech.path);
    const entries = await readdir(dirname(speech.path), { withFileTypes: true });
    const isOfAnother = entries.some(
      (entry) => nameOf(entry.name) === stem && (entry.isDirectory() || hasVideoExtension(entry.name)),
    );
    if (!isOfAnother && !isNeededByAnother(context, speech.path)) await settle(context, speech);
  } catch (error) {
    const why = withoutFullStop(toError(error).message);
    context.log.warn(`the speech ${basename(speech.path)} is kept: ${why}`);
  }
}

/** Whether a job that is not over has this speech. */
function isNeededByAnother({ queue, job }: JobContext, path: string): boolean {
  return queue.jobs
    .listJobs()
    .some(
      ({ id, state, recipe }) =>
        id !== job.id &&
        state !== 'done' &&
        state !== 'cancelled' &&
        recipe.pipeline === 'lip-sync' &&
        recipe.audio === path,
    );
}

function nameOf(path: string): string {
  return basename(path, extname(path));
}

async function settle({ home, job, settings }: JobContext, speech: SignedFile): Promise<void> {
  if (settings.output.source === 'move') {
    await moveAside(home.id, speech, join(home.root, 'finished'), String(job.id));
    return;
  }
  await assertSameFile(speech);
  await rm(speech.path);
  await syncFolder(dirname(speech.path));
}

/**
 * The speech that a worker left behind which died after it had settled the video. A file that was put there after the output
 * was published is for another video.
 */
export async function speechLeftBehind(job: Job): Promise<SignedFile | null> {
  const speech = job.publishedAtMs === null ? null : await speechBeside(job);
  if (speech === null || job.publishedAtMs === null) return null;
  return (await stat(speech.path)).ctimeMs < job.publishedAtMs ? speech : null;
}
