import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputRejectedError } from '../../domain/errors.ts';
import type { LipSyncRecipe } from '../../domain/recipe.ts';
import { indexFrames } from '../../media/index/frame-index.ts';
import { decodeFrameIndex, encodeFrameIndex } from '../../media/index/frame-index-file.ts';
import { probeMedia } from '../../media/probe/probe-media.ts';
import { decodeSpeech } from '../../media/speech/decode-speech.ts';
import { laySpeech } from '../../media/speech/lay-speech.ts';
import { framesAtConstantRate, planSpokenVideo, spokenRate } from '../../media/speech/spoken-video.ts';
import { SPEECH_RATE } from '../../media/speech/mel-spectrogram.ts';
import { writeFileDurably } from '../../workspace/durable-file.ts';
import { sizeOrZero } from '../../workspace/frame-files.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { checkDiskSpaceOfSpeech } from './check-disk-space.ts';
import { makeSubstitute } from './make-substitute.ts';
import type { PreparedSource } from './prepared-source.ts';

/** The folder of a silent video that is made while the speech is still arriving. */
export function aheadFolder(folder: JobFolder, aheadSeconds: number): string {
  return join(folder.spoken, `ahead-${aheadSeconds}`);
}

/**
 * Makes a video in the job folder that has the frames of the source without loss, is as long as the speech and has the speech
 * as its audio; a resumed job has it already. From there on, the job is like any other.
 *
 * @param aheadSeconds length, or more, of a silent video that is made while the speech is still arriving, with all frames of the
 *   source; null: the speech is complete
 */
export async function speakSource(
  context: JobContext,
  folder: JobFolder,
  recipe: LipSyncRecipe,
  original: PreparedSource,
  aheadSeconds: number | null,
): Promise<PreparedSource> {
  const { job, settings, signal } = context;
  const isAhead = aheadSeconds !== null;
  const place = isAhead ? aheadFolder(folder, aheadSeconds) : folder.spoken;
  const path = join(place, basename(job.sourcePath));
  const indexFile = join(place, 'frames.index');
  if ((await sizeOrZero(path)) === 0) await lay(context, folder, recipe, { original, path, aheadSeconds });
  const media = await probeMedia(path, settings.limits, signal);
  const known = decodeFrameIndex(await readFile(indexFile).catch(() => Buffer.alloc(0)));
  const index = known ?? (await indexFrames(media, { limits: settings.limits, signal }));
  if (known === null) await writeFileDurably(indexFile, encodeFrameIndex(index), 'frame-index');
  const ownFrames = framesAtConstantRate(original.index, spokenRate(original.media.video));
  return { media, timeline: null, index, original, cycle: { ownFrames, extend: recipe.extend }, isAhead };
}

async function lay(
  context: JobContext,
  folder: JobFolder,
  recipe: LipSyncRecipe,
  {
    original,
    path,
    aheadSeconds,
  }: {
    readonly original: PreparedSource;
    readonly path: string;
    readonly aheadSeconds: number | null;
  },
): Promise<void> {
  const { audio, extend, resolution } = recipe;
  const { job, settings, signal, log } = context;
  if (audio === undefined)
    throw new InputRejectedError(
      'NO_AUDIO',
      `${basename(job.sourcePath)} has no speech; name one as audio in its recipe.`,
    );
  const rate = spokenRate(original.media.video);
  const ownSeconds = (framesAtConstantRate(original.index, rate) * rate.den) / rate.num;
  const seconds =
    aheadSeconds !== null
      ? Math.max(aheadSeconds, ownSeconds)
      : (await decodeSpeech(audio, signal)).length / SPEECH_RATE;
  const lines = resolution === 'source' ? null : Number.parseInt(resolution, 10);
  const video = planSpokenVideo(original, { seconds, extend, lines });
  await checkDiskSpaceOfSpeech(context, folder, video);
  const startedAtMs = performance.now();
  const maxPixels = settings.limits.inputMegapixels * 1e6;
  await makeSubstitute(context, path, (temporaryPath) =>
    laySpeech(
      { ...original, video, audio: aheadSeconds === null ? audio : null, maxPixels, path: temporaryPath },
      signal,
    ),
  );
  const took = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  const what =
    aheadSeconds === null ? `laid the speech ${basename(audio)}` : 'made a video ahead of the speech';
  log.info(
    `${what} (${seconds.toFixed(1)} s) ${aheadSeconds === null ? 'under the video ' : ''}in ${took} s`,
  );
}
