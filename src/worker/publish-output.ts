import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { LeaseLostError } from '../domain/errors.ts';
import type { Lease } from '../domain/job.ts';
import { outputColor } from '../media/color-conversion.ts';
import { muxOutput } from '../media/mux.ts';
import { outputTiming } from '../media/output-timing.ts';
import type { StreamPlan } from '../media/stream-plan.ts';
import { verifyOutput } from '../media/verify-output.ts';
import { publishFile } from '../workspace/durable-file.ts';
import type { JobFolder } from '../workspace/job-folder.ts';
import { LEASE_MS } from './lease-keeper.ts';
import type { JobContext } from './job-context.ts';
import type { PlannedJob } from './planned-job.ts';
import { assertSameSource } from './prepare-source.ts';

/**
 * Joins the segments with the source's other streams under a temporary name in the output folder, decodes and checks
 * the result, and gives it its name in one step (A9, R17, R18). Done twice after a crash it gives the same.
 */
export async function publishOutput(
  context: JobContext,
  folder: JobFolder,
  planned: PlannedJob,
): Promise<void> {
  const { job, lease, queue, signal, log } = context;
  const { media, index, plan, formats, streams, outputPath } = planned;
  logStreams(context, streams);
  // The sound comes from the source now: it must still be the file whose pictures were transformed.
  await assertSameSource(planned, job.fingerprint, signal);
  await mkdir(dirname(outputPath), { recursive: true });
  const temporaryPath = temporaryOutputPath(outputPath, lease);
  const batches = queue.batches.listBatches(job.id);
  const timing = outputTiming(index, media);
  try {
    queue.progress.setStage(lease, 'mux');
    await muxOutput(
      {
        source: media,
        segmentPaths: batches.map((batch) => folder.segmentPath(batch.segmentName)),
        timing,
        codec: plan.codec,
        encodersUsed: new Set(batches.map((batch) => batch.encoder)).size,
        plan: streams,
        outputPath: temporaryPath,
      },
      signal,
    );
    queue.progress.setStage(lease, 'verify');
    log.info('joined; decoding the finished file to check every frame');
    await verifyOutput(
      temporaryPath,
      {
        format: formats.output,
        timing,
        color: outputColor(media.video),
        sampleAspectRatio: media.video.sampleAspectRatio,
        plan: streams,
      },
      signal,
    );
    // A file cannot be fenced by a token: the lease is asked for at the last moment.
    if (!queue.leases.renew(lease, Date.now(), LEASE_MS))
      throw new LeaseLostError(`Job ${job.id} is another worker's.`);
    await publishFile(temporaryPath, outputPath);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
  queue.progress.setOutputPath(lease, outputPath);
}

/**
 * Hidden, beside the finished file, so that the last step is a rename on one file system. The token makes it this
 * worker's own (R10).
 */
function temporaryOutputPath(outputPath: string, { jobId, token }: Lease): string {
  return join(dirname(outputPath), `.framekiln-${jobId}-${token}${extname(outputPath)}`);
}

function logStreams({ log, job }: JobContext, streams: StreamPlan): void {
  if (streams.containerReason !== null)
    log.info(`the result is kept in ${streams.extension}: ${streams.containerReason}`);
  for (const { stream, codec, reason } of streams.fates) {
    const what = `${stream.kind} track ${stream.index} (${stream.codec}) of ${basename(job.sourcePath)}`;
    if (codec === null) log.warn(`${what} is left out: ${reason ?? ''}`);
    else if (codec !== 'copy') log.info(`${what} is converted to ${codec}: ${reason ?? ''}`);
  }
}
