import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { MediaInfo } from '../../domain/media-info.ts';
import { isOfSequence } from '../../domain/recipe.ts';
import { counted } from '../../lib/counted.ts';
import {
  mayBeDiscontinuous,
  readSourceTimeline,
  type SourceTimeline,
} from '../../media/index/source-timeline.ts';
import { assertTimestampsIncrease, remuxToOneTimeline } from '../../media/index/timestamp-discontinuities.ts';
import { describeFields } from '../../media/fields/describe-fields.ts';
import { assertDecodable, assessDamage } from '../../media/index/damage.ts';
import { indexFrames } from '../../media/index/frame-index.ts';
import { decodeFrameIndex, encodeFrameIndex } from '../../media/index/frame-index-file.ts';
import { probeMedia } from '../../media/probe/probe-media.ts';
import { isAnimatedWebpFile } from '../../media/still/still-format.ts';
import { writeFileDurably } from '../../workspace/durable-file.ts';
import { sizeOrZero } from '../../workspace/frame-files.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { assertUnchanged } from './assert-unchanged.ts';
import { copySpeech } from './copy-speech.ts';
import { makeSubstitute } from './make-substitute.ts';
import { packSource } from './pack-source.ts';
import type { PreparedSource } from './prepared-source.ts';
import { speakSource } from './speak-source.ts';
import { unpackSource } from './unpack-source.ts';

/**
 * Checks that the source is still the file that was queued, reads its headers, and loads its frame index; the first
 * start of a job makes the index.
 *
 * @param aheadSeconds as for `speakSource`
 */
export async function prepareSource(
  context: JobContext,
  folder: JobFolder,
  aheadSeconds: number | null = null,
): Promise<PreparedSource> {
  const { job, lease, queue, signal } = context;
  queue.progress.setStage(lease, 'probe');
  const { recipe } = job;
  if (recipe.pipeline === 'lip-sync') {
    if (aheadSeconds !== null) await assertUnchanged(job, signal);
    const speech = aheadSeconds === null ? await copySpeech(context, folder, recipe) : { aheadSeconds };
    return speakSource(context, folder, { recipe, speech }, await readSource(context, folder));
  }
  await assertUnchanged(job, signal);
  return readSource(context, folder);
}

async function readSource(context: JobContext, folder: JobFolder): Promise<PreparedSource> {
  const { job, lease, queue, settings, signal, log } = context;
  // An older version may have begun the job: days of work are not thrown away.
  const keeping = { keepsDolbyVision: job.plan !== null };
  const path = await decodableSource(context, folder);
  const source = await probeMedia(path, settings.limits, signal, keeping);

  const known = decodeFrameIndex(await readFile(folder.indexFile).catch(() => Buffer.alloc(0)));
  const straight = join(folder.straight, basename(job.sourcePath));
  const timeline = mayBeDiscontinuous(source) ? await discontinuousTimeline(source, signal) : null;
  if (timeline !== null && (known === null || (await sizeOrZero(straight)) === 0))
    await remux(context, folder, source, timeline, straight);
  const media = timeline === null ? source : await probeMedia(straight, settings.limits, signal, keeping);
  if (known !== null) return { media, timeline, index: known };
  queue.progress.setStage(lease, 'index');
  const startedAtMs = performance.now();
  const index = await indexFrames(media, { limits: settings.limits, signal });
  assertTimestampsIncrease(media, index);
  assertDecodable(media, assessDamage(media, index), settings.limits.decodableShare);
  await writeFileDurably(folder.indexFile, encodeFrameIndex(index), 'frame-index');
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  log.info(`indexed ${counted(index.pts.length, 'frame')} in ${seconds} s`);
  for (const sentence of describeFields(media, index)) log.info(sentence);
  return { media, timeline, index };
}

/** The path of the source, or of a video that was made from it because ffmpeg cannot decode it. */
async function decodableSource(context: JobContext, folder: JobFolder): Promise<string> {
  const { sourcePath, recipe } = context.job;
  if (isOfSequence(recipe)) return packSource(context, folder);
  return (await isAnimatedWebpFile(sourcePath)) ? unpackSource(context, folder) : sourcePath;
}

/** The timeline of a source with discontinuities; null if it has none. */
async function discontinuousTimeline(source: MediaInfo, signal: AbortSignal): Promise<SourceTimeline | null> {
  const timeline = await readSourceTimeline(source, signal);
  return timeline.discontinuities.length === 0 ? null : timeline;
}

/** Copies a source with timestamp discontinuities onto one continuous timeline, to `path`. */
async function remux(
  context: JobContext,
  folder: JobFolder,
  source: MediaInfo,
  timeline: SourceTimeline,
  path: string,
): Promise<void> {
  const { discontinuities } = timeline;
  const count = counted(discontinuities.length, 'timestamp discontinuity', 'timestamp discontinuities');
  const [first] = discontinuities;
  context.log.warn(
    `${basename(path)} has ${count}: ${discontinuities.length > 1 ? 'the first is ' : ''}a jump from ${first?.at.toFixed(3) ?? '?'} s to ${first?.to.toFixed(3) ?? '?'} s; remuxing onto one continuous timeline`,
  );
  await makeSubstitute(context, path, (temporaryPath) =>
    remuxToOneTimeline(source, timeline, { path: temporaryPath, folder: folder.straight }, context.signal),
  );
}
