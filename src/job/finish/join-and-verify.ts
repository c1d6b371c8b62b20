import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AudioShiftedError, FfmpegError, VerificationError } from '../../domain/errors.ts';
import type { CommittedBatch, Job } from '../../domain/job.ts';
import { failPoint } from '../../lib/fail-point.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { asUser } from '../../lib/user-umask.ts';
import { withoutFullStop } from '../../lib/without-full-stop.ts';
import { outputColor } from '../../media/decode/color-conversion.ts';
import { outputTiming } from '../../media/encode/output-timing.ts';
import { assessDamage } from '../../media/index/damage.ts';
import { withoutUnmuxable } from '../../media/join/find-unmuxable.ts';
import { gifSize } from '../../media/gif/gif-limits.ts';
import { makeGif } from '../../media/gif/make-gif.ts';
import { muxOutput } from '../../media/join/mux.ts';
import { withShifts, type StreamPlan } from '../../media/join/stream-plan.ts';
import { verifyOutput } from '../../media/verify/verify-output.ts';
import { createForUser } from '../../workspace/durable-file.ts';
import { halfOutputPath } from '../../workspace/half-output.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { assertFoldersPresent } from '../missing-folders.ts';
import { assertUnchanged } from '../prepare/assert-unchanged.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';
import { buildReport, type FrameCounts } from './build-report.ts';
import type { VerifiedOutput } from './publish-output.ts';

export interface JoinedOutput extends VerifiedOutput {
  /** The streams in the file: the planned ones, or those of them that the container accepts. */
  readonly streams: StreamPlan;
}

/**
 * Joins the segments with the other streams of the source, then verifies the whole file. Repeated after a
 * crash, it gives the same file.
 */
export async function joinAndVerify(
  context: JobContext,
  folder: JobFolder,
  prepared: PreparedJob,
): Promise<JoinedOutput> {
  const { home, job, lease, signal } = context;
  // All frames are read by now, and audio is about to be: the source must be the file that was queued.
  await assertUnchanged(job, signal);
  await assertFoldersPresent(context);
  const temporaryPath = halfOutputPath(home.id, prepared.outputPath, lease);
  asUser(() => makeFolder(dirname(temporaryPath)));
  createForUser(temporaryPath);
  try {
    const streams = await joinWithFallbacks(context, folder, prepared, temporaryPath);
    const batches = context.queue.batches.listBatches(job.id);
    const framesReused = batches.reduce((sum, batch) => sum + (batch.framesReused ?? 0), 0);
    const framesEnhanced = enhancedFrames(context.queue.analyses.getDecisions(job.id));
    return joinedOutput(job, prepared, { streams, framesReused, framesEnhanced }, temporaryPath);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
}

/** Frames of a split screen whose close-ups were upscaled; undefined for other jobs, and for those of older versions. */
function enhancedFrames(decisions: string | null): number | undefined {
  if (decisions === null) return undefined;
  return (JSON.parse(decisions) as { readonly framesEnhanced?: number }).framesEnhanced;
}

/** Describes a joined and verified file for its publication. */
export function joinedOutput(
  job: Job,
  prepared: PreparedJob,
  { streams, ...counts }: Pick<JoinedOutput, 'streams'> & FrameCounts,
  temporaryPath: string,
): JoinedOutput {
  const damage = assessDamage(prepared.media, prepared.index);
  return {
    ...{ temporaryPath, outputPath: prepared.outputPath, sourceDamage: damage.sentence, streams },
    report: ({ outputPath, ...file }) =>
      buildReport(job, { ...prepared, outputPath }, streams, { damage, ...counts, ...file }),
  };
}

/**
 * Joins again as long as the result shows which tracks have to be moved, converted or left out.
 *
 * @returns the streams in the file
 */
async function joinWithFallbacks(
  context: JobContext,
  folder: JobFolder,
  prepared: PreparedJob,
  path: string,
): Promise<StreamPlan> {
  let { streams } = prepared;
  // A track is copied, moved, converted, moved again and then left out.
  for (let joins = 1; ; joins++) {
    try {
      await joinOnce(context, folder, prepared, streams, path);
      return streams;
    } catch (error) {
      const fallback =
        joins === MOST_JOINS
          ? null
          : await fallbackFor(error, { ...prepared, streams }, path, context.signal);
      if (fallback === null) throw error;
      context.log.warn(fallback.sentence);
      ({ streams } = fallback);
    }
  }
}

/** Enough for a track that takes every step, and one that cannot be muxed. */
const MOST_JOINS = 6;

interface Fallback {
  readonly streams: StreamPlan;
  readonly sentence: string;
}

/** Other streams to join after a failure; null when no other streams would help. */
async function fallbackFor(
  error: unknown,
  { media, streams }: PreparedJob,
  path: string,
  signal: AbortSignal,
): Promise<Fallback | null> {
  if (error instanceof AudioShiftedError) {
    return {
      streams: withShifts(streams, error.shifts),
      sentence: `${withoutFullStop(error.message)}; joining again with these tracks shifted into sync, or converted where that does not help`,
    };
  }
  if (!(error instanceof FfmpegError || error instanceof VerificationError)) return null;
  const fitting = await withoutUnmuxable(media, streams, `${path}.trial`, signal);
  if (fitting.fates.every((fate, i) => fate.codec === streams.fates[i]?.codec)) return null;
  return {
    streams: fitting,
    sentence: `${withoutFullStop(error.message)}; joining again without the tracks that are empty or cannot be muxed`,
  };
}

async function joinOnce(
  { job, lease, queue, signal, log }: JobContext,
  folder: JobFolder,
  { media, timeline, index, plan, formats }: PreparedJob,
  streams: StreamPlan,
  path: string,
): Promise<void> {
  const batches = queue.batches.listBatches(job.id);
  const timing = outputTiming(index, media);
  const isGif = streams.container === 'gif';
  const captions = plan.codec === 'vp9' || isGif ? null : index.captions;
  const segmentPaths = batches.map((batch) => folder.segmentPath(batch.segmentName));
  const format = isGif ? gifSize(formats.output, formats.outputAspect) : formats.output;
  queue.progress.setStage(lease, 'mux');
  failPoint('output.before-join');
  if (isGif) await makeGif({ source: media, segmentPaths, timing, format, outputPath: path }, signal);
  else
    await muxOutput(
      {
        source: media,
        segmentPaths,
        timing,
        codec: plan.codec,
        encoderCount: new Set(batches.map((batch) => batch.encoder)).size,
        plan: streams,
        captions,
        // A split screen shows parts of the frame.
        spatial: job.recipe.pipeline === 'upscale' ? (media.video.spatial ?? null) : null,
        outputPath: path,
      },
      signal,
    );
  failPoint('output.joined');
  queue.progress.setStage(lease, 'verify');
  log.info('joined the segments; verifying every frame of the result');
  const expected = {
    format,
    chroma: plan.encoder.chroma ?? '420',
    timing,
    color: outputColor(media.video),
    sampleAspectRatio: isGif ? { num: 1, den: 1 } : formats.outputAspect,
    plan: streams,
    captions,
    ...(isGif ? {} : { segmentPaths }),
    source: media,
    original: { path: timeline === null ? media.path : job.sourcePath, timeline },
  };
  for (const batch of batches) await assertIntact(folder, batch);
  await verifyOutput(path, expected, signal);
  failPoint('output.verified');
}

/**
 * Checks that a segment still has the bytes that were decoded before its checkpoint. If not, the next attempt makes it again.
 *
 * @throws VerificationError
 */
async function assertIntact(folder: JobFolder, batch: CommittedBatch): Promise<void> {
  if (await folder.isIntact(batch)) return;
  const path = folder.segmentPath(batch.segmentName);
  throw new VerificationError(`${path} has changed since it was verified; its batch is processed again.`);
}
