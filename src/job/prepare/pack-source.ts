import { imagesIn } from '../../domain/fingerprint.ts';
import { counted } from '../../lib/counted.ts';
import { sizeOrZero } from '../../workspace/frame-files.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { makeSubstitute } from './make-substitute.ts';

/**
 * Packs the folder of images of a job into a video in the job folder; a resumed job has it already.
 *
 * @returns the path of the video
 */
export async function packSource(context: JobContext, folder: JobFolder): Promise<string> {
  const { job, settings, signal, log } = context;
  const { sourcePath, recipe } = job;
  const path = folder.packedPath;
  if ((await sizeOrZero(path)) > 0) return path;
  // Loaded only now: see run-job.ts.
  const { packSequence } = await import('../../media/sequence/pack-sequence.ts');
  const names = await imagesIn(sourcePath);
  const startedAtMs = performance.now();
  const frameRate = String(recipe.frameRate);
  const maxPixels = settings.limits.inputMegapixels * 1e6;
  const sequence = { folder: sourcePath, names, frameRate, maxPixels };
  await makeSubstitute(context, path, (temporaryPath) => packSequence(sequence, temporaryPath, signal));
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  log.info(`packed ${counted(names.length, 'image')} into a video (${frameRate} fps) in ${seconds} s`);
  return path;
}
