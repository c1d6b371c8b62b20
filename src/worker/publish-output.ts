import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { InputRefusedError, LeaseLostError } from '../domain/errors.ts';
import { outputColor } from '../media/color-conversion.ts';
import { muxOutput } from '../media/mux.ts';
import { outputTiming } from '../media/output-timing.ts';
import { planStreams, type StreamPlan } from '../media/stream-plan.ts';
import { verifyOutput } from '../media/verify-output.ts';
import { publishFile } from '../workspace/durable-file.ts';
import type { JobFolder } from '../workspace/job-folder.ts';
import { sizeOrZero } from '../workspace/frame-files.ts';
import { LEASE_MS } from './lease-keeper.ts';
import type { JobContext } from './job-context.ts';
import type { PlannedJob } from './planned-job.ts';

/**
 * Joins the segments with the source's other streams under a temporary name in the output folder, decodes and checks
 * the result, and gives it its name in one step (A9, R17, R18). Done twice after a crash it gives the same.
 *
 * @returns the finished file's path
 */
export async function publishOutput(
  context: JobContext,
  folder: JobFolder,
  planned: PlannedJob,
): Promise<string> {
  const { job, lease, queue, settings, signal, log } = context;
  const { media, index, plan, formats } = planned;
  const streams = planStreams(media);
  logStreams(context, streams);
  const outputPath = withExtension(job.outputPath, streams.extension);
  if (settings.output.existing === 'keep' && (await sizeOrZero(outputPath)) > 0) {
    throw new InputRefusedError('OUTPUT_EXISTS', `${outputPath} exists already and output.existing is keep.`);
  }
  await mkdir(dirname(outputPath), { recursive: true });
  const temporaryPath = temporaryOutputPath(outputPath, job.id);
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
  await settleSource(context);
  return outputPath;
}

/** Hidden, beside the finished file, so that the last step is a rename on one file system. */
export function temporaryOutputPath(outputPath: string, jobId: number): string {
  return join(dirname(outputPath), `.framekiln-${jobId}${extname(outputPath)}`);
}

/** `clip.mp4` stays `clip.mp4`; `clip.avi` becomes `clip.avi.mkv`, so that it meets no `clip.mkv`. */
function withExtension(path: string, extension: string): string {
  return extname(path).toLowerCase() === extension ? path : `${path}${extension}`;
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

/** What the configuration wants done with the source of a finished job; it is untouched by default (R18). */
async function settleSource({ home, job, settings }: JobContext): Promise<void> {
  if (job.origin === 'run' || settings.output.source === 'keep') return;
  if (settings.output.source === 'delete') {
    await rm(job.sourcePath, { force: true });
    return;
  }
  const finished = join(home.root, 'finished');
  await mkdir(finished, { recursive: true });
  const target = join(finished, basename(job.sourcePath));
  const taken = await stat(target).then(
    () => true,
    () => false,
  );
  await rename(job.sourcePath, taken ? join(finished, `${job.id}-${basename(job.sourcePath)}`) : target);
}
