import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makeFolder } from '../../lib/make-folder.ts';
import { unpackAnimation } from '../../media/sequence/unpack-animation.ts';
import { publishFile } from '../../workspace/durable-file.ts';
import { sizeOrZero } from '../../workspace/frame-files.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { assertUnchanged } from './assert-unchanged.ts';

/**
 * Unpacks the animated WebP file of a job into a video in the job folder that ffmpeg can decode; a resumed job has it
 * already.
 *
 * @returns the path of the video
 */
export async function unpackSource({ job, lease, signal }: JobContext, folder: JobFolder): Promise<string> {
  const path = join(folder.straight, `${basename(job.sourcePath)}.mp4`);
  if ((await sizeOrZero(path)) > 0) return path;
  // What an attempt that was killed has left.
  await rm(folder.straight, { recursive: true, force: true });
  makeFolder(folder.straight);
  const temporaryPath = join(folder.straight, `.${lease.token}`);
  await unpackAnimation(job.sourcePath, temporaryPath, signal);
  await assertUnchanged(job, signal);
  await publishFile(temporaryPath, path, 'other-file');
  return path;
}
