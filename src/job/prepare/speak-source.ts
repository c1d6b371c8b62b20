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
import { planSpokenVideo } from '../../media/speech/spoken-video.ts';
import { SPEECH_RATE } from '../../media/speech/mel-spectrogram.ts';
import { writeFileDurably } from '../../workspace/durable-file.ts';
import { sizeOrZero } from '../../workspace/frame-files.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { checkDiskSpaceOfSpeech } from './check-disk-space.ts';
import { makeSubstitute } from './make-substitute.ts';
import type { PreparedSource } from './prepared-source.ts';

/** A recipe whose speech is the copy in the job folder. */
type SpokenRecipe = LipSyncRecipe & { readonly audio: string };

/**
 * Makes a video in the job folder that has the frames of the source without loss, is as long as the speech and has the speech
 * as its audio; a resumed job has it already. From there on, the job is like any other.
 */
export async function speakSource(
  context: JobContext,
  folder: JobFolder,
  recipe: SpokenRecipe,
  original: PreparedSource,
): Promise<PreparedSource> {
  const { job, settings, signal } = context;
  const path = join(folder.spoken, basename(job.sourcePath));
  const indexFile = join(folder.spoken, 'frames.index');
  if ((await sizeOrZero(path)) === 0) await lay(context, folder, recipe, { original, path });
  const laid = await probeMedia(path, settings.limits, signal);
  const media = { ...laid, video: { ...laid.video, ...colorsOf(original.media.video) } };
  const known = decodeFrameIndex(await readFile(indexFile).catch(() => Buffer.alloc(0)));
  const index = known ?? (await indexFrames(media, { limits: settings.limits, signal }));
  if (known === null) await writeFileDurably(indexFile, encodeFrameIndex(index), 'frame-index');
  return { media, timeline: null, index, original };
}

/** The colours of the frames are those of the source, of which neither FFV1 in MOV nor fewer lines tell everything. */
function colorsOf(source: VideoStreamInfo): Pick<VideoStreamInfo, 'color' | 'hdr'> {
  const { color, hdr, pixelFormat } = source;
  return { color: isRgb(pixelFormat) ? color : { ...color, matrix: outputColor(source).matrix }, hdr };
}

async function lay(
  context: JobContext,
  folder: JobFolder,
  { audio, extend, resolution }: SpokenRecipe,
  { original, path }: { readonly original: PreparedSource; readonly path: string },
): Promise<void> {
  const { settings, signal, log } = context;
  const seconds = (await decodeSpeech(audio, signal)).length / SPEECH_RATE;
  const lines = resolution === 'source' ? null : Number.parseInt(resolution, 10);
  const video = planSpokenVideo(original, { seconds, extend, lines });
  const codec = losslessCodec(original.media.video, video);
  await checkDiskSpaceOfSpeech(context, folder, video, codec);
  const startedAtMs = performance.now();
  const maxPixels = settings.limits.inputMegapixels * 1e6;
  await makeSubstitute(context, path, (temporaryPath) =>
    laySpeech({ ...original, video, codec, audio, maxPixels, path: temporaryPath }, signal),
  );
  const took = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  log.info(`laid the speech ${basename(audio)} (${seconds.toFixed(1)} s) under the video in ${took} s`);
}
