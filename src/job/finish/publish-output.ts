import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FfmpegError, LeaseLostError, AudioShiftedError, VerificationError } from '../../domain/errors.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { failPoint } from '../../lib/fail-point.ts';
import { outputColor } from '../../media/decode/color-conversion.ts';
import { assessDamage } from '../../media/index/damage.ts';
import { withoutUnmuxable } from '../../media/join/find-unmuxable.ts';
import { muxOutput } from '../../media/join/mux.ts';
import { outputTiming } from '../../media/encode/output-timing.ts';
import { withShifts, type StreamPlan } from '../../media/join/stream-plan.ts';
import { verifyOutput } from '../../media/verify/verify-output.ts';
import { publishFile } from '../../workspace/durable-file.ts';
import { halfOutputPath } from '../../workspace/half-output.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import { reportLines, writeReport } from '../../reports/media-report.ts';
import { mediaReport } from './build-report.ts';
import { LEASE_MS } from '../../queue/lease-store.ts';
import type { JobContext } from '../job-context.ts';
import type { PlannedJob } from '../prepare/planned-job.ts';
import { assertSameSource } from '../prepare/prepare-source.ts';

/**
 * Joins the segments with the source's other streams under a temporary name in the output folder, decodes and checks
 * the result, and gives it its name in one step (A9, R17, R18). Done twice after a crash it gives the same.
 */
export async function publishOutput(
  context: JobContext,
  folder: JobFolder,
  planned: PlannedJob,
): Promise<void> {
  const { job, lease, queue, signal } = context;
  const { outputPath } = planned;
  // The audio comes from the source now: it must still be the file whose images were transformed.
  await assertSameSource(planned.signature, job, signal);
  makeFolder(dirname(outputPath));
  const temporaryPath = halfOutputPath(outputPath, lease);
  try {
    const joined = await joinAndCheck(context, folder, planned, temporaryPath);
    // A file cannot be fenced by a token: the lease is asked for at the last moment.
    if (!queue.leases.renew(lease, Date.now(), LEASE_MS))
      throw new LeaseLostError(`Job ${job.id} is another worker's.`);
    await publishFile(temporaryPath, outputPath, 'output');
    await report(context, planned, joined);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
  queue.progress.setPublished(lease, outputPath, Date.now());
}

/** @returns what was joined: the planned streams, or those of them that the container takes */
async function joinAndCheck(
  { job, lease, queue, signal, log }: JobContext,
  folder: JobFolder,
  { media, index, plan, formats, streams }: PlannedJob,
  path: string,
): Promise<StreamPlan> {
  const batches = queue.batches.listBatches(job.id);
  const timing = outputTiming(index, media);
  const join = async (chosen: StreamPlan): Promise<StreamPlan> => {
    queue.progress.setStage(lease, 'mux');
    failPoint('output.before-join');
    await muxOutput(
      {
        source: media,
        segmentPaths: batches.map((batch) => folder.segmentPath(batch.segmentName)),
        timing,
        codec: plan.codec,
        encodersUsed: new Set(batches.map((batch) => batch.encoder)).size,
        plan: chosen,
        outputPath: path,
      },
      signal,
    );
    failPoint('output.joined');
    queue.progress.setStage(lease, 'verify');
    log.info('joined; decoding the finished file to check every frame');
    const color = outputColor(media.video);
    const expected = {
      format: formats.output,
      chroma: plan.encoder.chroma ?? '420',
      timing,
      color,
      sampleAspectRatio: formats.outputAspect,
      plan: chosen,
      source: media,
    };
    await verifyOutput(path, expected, signal);
    failPoint('output.verified');
    return chosen;
  };
  try {
    return await join(streams);
  } catch (error) {
    if (error instanceof AudioShiftedError) {
      log.warn(
        `${error.message} It is joined again with those tracks moved back, or left out where that does not help.`,
      );
      return await join(withShifts(streams, error.shifts));
    }
    if (!(error instanceof FfmpegError || error instanceof VerificationError)) throw error;
    const fitting = await withoutUnmuxable(media, streams, signal);
    if (fitting.fates.every((fate, i) => fate.codec === streams.fates[i]?.codec)) throw error;
    log.warn(`${error.message} It is joined again without the tracks that cannot be copied.`);
    return await join(fitting);
  }
}

async function report(
  { home, job, log }: JobContext,
  planned: PlannedJob,
  streams: StreamPlan,
): Promise<void> {
  const made = mediaReport(job, planned, streams, assessDamage(planned.media, planned.index));
  await writeReport(home, job.id, made);
  for (const line of reportLines(made)) log.info(line);
}
