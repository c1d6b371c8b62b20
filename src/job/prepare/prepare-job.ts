import { shapeOf } from '../../domain/video-shape.ts';
import { batchCount, missingBatches } from '../../domain/frame-batch.ts';
import { describeRecipe } from '../../domain/recipe.ts';
import { counted } from '../../lib/counted.ts';
import { outputTiming } from '../../media/encode/output-timing.ts';
import { assertFitsGif, gifSize } from '../../media/gif/gif-limits.ts';
import { planStreams } from '../../media/join/stream-plan.ts';
import { describePipeline } from '../../pipelines/describe-pipeline.ts';
import { removeHalfOutputsOf } from '../../workspace/half-output.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { checkDiskSpace } from './check-disk-space.ts';
import { chooseChroma, chooseDecodedTo } from './decoded-format.ts';
import { deviceMemories } from './device-memory.ts';
import { assertEncodersWork } from './assert-encoders-work.ts';
import { containerFor } from './container-for.ts';
import { findJobModels } from './find-job-models.ts';
import { keepIntactBatches } from './keep-intact-batches.ts';
import { chooseOutputPath } from './output-path.ts';
import { planJob } from './plan-job.ts';
import { prepareSource } from './prepare-source.ts';
import type { PreparedJob } from './prepared-job.ts';
import { withoutPlanOfOnePass } from './one-pass-jobs.ts';
import { tiledModel } from './tile-sizes.ts';
import { withWrittenFormat } from './written-format.ts';

/**
 * Decides everything before the first frame: source and frame index, output path, models, plan, the checkpoints that
 * still hold, and whether the disk has room for the rest.
 *
 * @param aheadSeconds as for `speakSource`
 */
export async function prepareJob(
  given: JobContext,
  folder: JobFolder,
  aheadSeconds: number | null = null,
): Promise<PreparedJob> {
  // A lip-sync job copies its video first, which takes long and much of the disk.
  const found = given.job.recipe.pipeline === 'lip-sync' ? await findJobModels(given) : null;
  const source = await prepareSource(given, folder, aheadSeconds);
  const { media } = source;
  const framesTotal = source.index.pts.length;
  const context = await withoutPlanOfOnePass(given, folder, framesTotal);
  const { home, job, lease, queue, settings } = context;
  const container = containerFor(job.plan, settings.output.container);
  const streams = planStreams(media, container);
  const outputPath = await chooseOutputPath(context, streams.extension);

  const models = found ?? (await findJobModels(context));
  const decodedTo =
    job.plan === null
      ? chooseDecodedTo(job.recipe, media, chooseChroma(settings, media, container))
      : job.plan.decodedTo;
  const pipeline = describePipeline(job.recipe, media, decodedTo);
  const memories = tiledModel(job.recipe, models) !== null ? await deviceMemories(job.recipe.device) : null;
  const { output } = pipeline.formats;
  if (container === 'gif')
    assertFitsGif(media, outputTiming(source.index, media), gifSize(output, pipeline.formats.outputAspect));
  const plan = await planJob(context, { media, ...models, decodedTo, ...pipeline, memories, container });
  // Before the plan is stored, so that the job can still get another container.
  await assertEncodersWork(streams, plan, output, context.signal);
  queue.progress.setPlan(lease, plan, framesTotal);
  queue.progress.setVideo(lease, { ...shapeOf(media), frames: framesTotal });

  const committed = await keepIntactBatches(context, folder);
  const missing = missingBatches(plan, framesTotal, new Set(committed.map(({ number }) => number)));
  const prepared = {
    ...source,
    ...models,
    ...pipeline,
    ...withWrittenFormat(pipeline.formats, media, plan),
    ...{ plan, memories, streams, outputPath, committed, missing },
  };
  logPreparation(context, prepared);
  await removeHalfOutputsOf(home.id, job.id, outputPath);
  await checkDiskSpace(context, folder, prepared);
  return prepared;
}

function logPreparation(
  { job, log }: JobContext,
  { media: { video }, formats: { output }, plan, index, committed }: PreparedJob,
): void {
  const framesTotal = index.pts.length;
  const batches = counted(batchCount(plan, framesTotal), 'batch', 'batches');
  log.info(
    `${describeRecipe(job.recipe)}: ${video.width}x${video.height} to ${output.width}x${output.height}, ${counted(framesTotal, 'frame')} in ${batches}`,
  );
  const framesCommitted = committed.reduce((sum, batch) => sum + batch.frameCount, 0);
  if (framesCommitted > 0)
    log.info(`resuming from checkpoint: ${framesCommitted} of ${framesTotal} frames already done`);
}
