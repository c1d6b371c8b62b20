import { basename, join } from 'node:path';
import { sizeOrZero } from '../../workspace/frame-files.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { makeSubstitute } from './make-substitute.ts';

/**
 * Unpacks the animated WebP file of a job into a video in the job folder that ffmpeg can decode; a resumed job has it
 * already.
 *
 * @returns the path of the video
 */
export async function unpackSource(context: JobContext, folder: JobFolder): Promise<string> {
  const { job, signal } = context;
  // Loaded only now: see run-job.ts.
  const { unpackAnimation } = await import('../../media/sequence/unpack-animation.ts');
  const path = join(folder.straight, `${basename(job.sourcePath)}.mp4`);
  if ((await sizeOrZero(path)) > 0) return path;
  await makeSubstitute(context, path, (temporaryPath) =>
    unpackAnimation(job.sourcePath, temporaryPath, signal),
  );
  return path;
}
