import { basename, extname, join } from 'node:path';
import { InputRejectedError } from '../../domain/errors.ts';
import type { LipSyncRecipe } from '../../domain/recipe.ts';
import { probeMedia } from '../../media/probe/probe-media.ts';
import { decodeSpeech } from '../../media/speech/decode-speech.ts';
import { laySpeech } from '../../media/speech/lay-speech.ts';
import { SPEECH_RATE } from '../../media/speech/mel-spectrogram.ts';
import { sizeOrZero } from '../../workspace/frame-files.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { makeSubstitute } from './make-substitute.ts';

/**
 * Makes a video in the job folder that has the frames of the source without loss, is as long as the speech and has the speech
 * as its audio; a resumed job has it already. From there on, the job is like any other.
 *
 * @returns the path of the video
 */
export async function speakSource(
  context: JobContext,
  folder: JobFolder,
  recipe: LipSyncRecipe,
): Promise<string> {
  const { job, settings, signal, log } = context;
  const path = join(folder.straight, `${basename(job.sourcePath, extname(job.sourcePath))}.mp4`);
  if ((await sizeOrZero(path)) > 0) return path;
  const { audio, extend, resolution } = recipe;
  if (audio === undefined)
    throw new InputRejectedError(
      'NO_AUDIO',
      `${basename(job.sourcePath)} has no speech; name one as audio in its recipe.`,
    );
  const source = await probeMedia(job.sourcePath, settings.limits, signal);
  const seconds = (await decodeSpeech(audio, signal)).length / SPEECH_RATE;
  const startedAtMs = performance.now();
  const lines = resolution === 'source' ? null : Number.parseInt(resolution, 10);
  const maxPixels = settings.limits.inputMegapixels * 1e6;
  await makeSubstitute(context, folder, path, (temporaryPath) =>
    laySpeech({ source, audio, seconds, extend, lines, maxPixels, path: temporaryPath }, signal),
  );
  const took = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  log.info(`laid the speech ${basename(audio)} (${seconds.toFixed(1)} s) under the video in ${took} s`);
  return path;
}
