import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { imagesIn } from '../../domain/fingerprint.ts';
import { counted } from '../../lib/counted.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { packSequence } from '../../media/sequence/pack-sequence.ts';
import { publishFile } from '../../workspace/durable-file.ts';
import { sizeOrZero } from '../../workspace/frame-files.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { assertUnchanged } from './assert-unchanged.ts';

/**
 * Packs the folder of images of a job into a video in the job folder; a resumed job has it already.
 *
 * @returns the path of the video
 */
export async function packSource(
  { job, lease, settings, signal, log }: JobContext,
  folder: JobFolder,
): Promise<string> {
  const { sourcePath, recipe } = job;
  const path = folder.packedPath;
  if ((await sizeOrZero(path)) > 0) return path;
  const names = await imagesIn(sourcePath);
  const startedAtMs = performance.now();
  // A worker that was killed may have left half a video.
  await rm(folder.straight, { recursive: true, force: true });
  makeFolder(folder.straight);
  // The lease token makes the name unique, so that a worker that lost its lease does not write into the same file.
  const temporaryPath = join(folder.straight, `.${lease.token}`);
  const frameRate = String(recipe.frameRate);
  const maxPixels = settings.limits.inputMegapixels * 1e6;
  try {
    await packSequence({ folder: sourcePath, names, frameRate, maxPixels }, temporaryPath, signal);
    // An image may have been replaced just before it was read.
    await assertUnchanged(job, signal);
    await publishFile(temporaryPath, path, 'other-file');
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  log.info(`packed ${counted(names.length, 'image')} into a video (${frameRate} fps) in ${seconds} s`);
  return path;
}
