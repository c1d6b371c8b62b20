import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { VideoStreamInfo } from '../../domain/media-info.ts';
import type { LipSyncRecipe } from '../../domain/recipe.ts';
import { isRgb, outputColor } from '../../media/decode/color-conversion.ts';
import { indexFrames } from '../../media/index/frame-index.ts';
import { decodeFrameIndex, encodeFrameIndex } from '../../media/index/frame-index-file.ts';
import { probeMedia } from '../../media/probe/probe-media.ts';
import { decodeSpeech } from '../../media/speech/decode-speech.ts';
import { laySpeech } from '../../media/speech/lay-speech.ts';
import { losslessCodec } from '../../media/speech/lossless-codec.ts';
import { framesAtConstantRate, planSpokenVideo, spokenRate } from '../../media/speech/spoken-video.ts';
import { SPEECH_RATE } from '../../media/speech/mel-spectrogram.ts';
import { writeFileDurably } from '../../workspace/durable-file.ts';
import { sizeOrZero } from '../../workspace/frame-files.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { checkDiskSpaceOfSpeech } from './check-disk-space.ts';
import { makeSubstitute } from './make-substitute.ts';
import type { PreparedSource } from './prepared-source.ts';

/** The path of the speech, or the length of a silent video that is made while the speech is still arriving. */
export type SpeechToSpeak = string | { readonly aheadSeconds: number };

/** What is spoken. */
interface Speaking {
  readonly recipe: LipSyncRecipe;
  readonly speech: SpeechToSpeak;
}

/** The folder of a silent video that is made while the speech is still arriving. */
export function aheadFolder(folder: JobFolder, aheadSeconds: number): string {
  return join(folder.spoken, `ahead-${aheadSeconds}`);
}

/**
 * Makes a video in the job folder that has the frames of the source without loss, is as long as the speech and has the speech
 * as its audio; a resumed job has it already. From there on, the job is like any other.
 */
export async function speakSource(
  context: JobContext,
  folder: JobFolder,
  speaking: Speaking,
  original: PreparedSource,
): Promise<PreparedSource> {
  const { job, settings, signal } = context;
  const { recipe, speech } = speaking;
  const isAhead = typeof speech !== 'string';
  const place = isAhead ? aheadFolder(folder, speech.aheadSeconds) : folder.spoken;
  const path = join(place, basename(job.sourcePath));
  const indexFile = join(place, 'frames.index');
  if ((await sizeOrZero(path)) === 0) await lay(context, folder, speaking, { original, path });
  const laid = await probeMedia(path, settings.limits, signal);
  const media = { ...laid, video: { ...laid.video, ...colorsOf(original.media.video) } };
  const known = decodeFrameIndex(await readFile(indexFile).catch(() => Buffer.alloc(0)));
  const index = known ?? (await indexFrames(media, { limits: settings.limits, signal }));
  if (known === null) await writeFileDurably(indexFile, encodeFrameIndex(index), 'frame-index');
  const ownFrames = framesAtConstantRate(original.index, spokenRate(original.media.video));
  return { media, timeline: null, index, original, cycle: { ownFrames, extend: recipe.extend }, isAhead };
}

/** The colours of the frames are those of the source, of which neither FFV1 in MOV nor fewer lines tell everything. */
function colorsOf(source: VideoStreamInfo): Pick<VideoStreamInfo, 'color' | 'hdr'> {
  const { color, hdr, pixelFormat } = source;
  return { color: isRgb(pixelFormat) ? color : { ...color, matrix: outputColor(source).matrix }, hdr };
}

async function lay(
  context: JobContext,
  folder: JobFolder,
  { recipe: { extend, resolution }, speech }: Speaking,
  { original, path }: { readonly original: PreparedSource; readonly path: string },
): Promise<void> {
  const { settings, signal, log } = context;
  const audio = typeof speech === 'string' ? speech : null;
  const seconds =
    typeof speech === 'string'
      ? (await decodeSpeech(speech, signal)).length / SPEECH_RATE
      : Math.max(speech.aheadSeconds, secondsOf(original));
  const lines = resolution === 'source' ? null : Number.parseInt(resolution, 10);
  const video = planSpokenVideo(original, { seconds, extend, lines });
  const codec = losslessCodec(original.media.video, video);
  await checkDiskSpaceOfSpeech(context, folder, video, codec);
  const startedAtMs = performance.now();
  const maxPixels = settings.limits.inputMegapixels * 1e6;
  await makeSubstitute(context, path, (temporaryPath) =>
    laySpeech({ ...original, video, codec, audio, maxPixels, path: temporaryPath }, signal),
  );
  const took = `(${seconds.toFixed(1)} s) in ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`;
  log.info(
    audio === null
      ? `made a video ahead of the speech ${took}`
      : `laid the speech ${basename(audio)} under the video ${took}`,
  );
}

function secondsOf({ media, index }: PreparedSource): number {
  const { num, den } = spokenRate(media.video);
  return (framesAtConstantRate(index, { num, den }) * den) / num;
}
