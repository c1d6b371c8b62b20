import { basename } from 'node:path';
import { shapeOf } from '../../domain/video-shape.ts';
import { batchCount, missingBatches } from '../../domain/frame-batch.ts';
import { describeRecipe } from '../../domain/recipe.ts';
import { visibleText } from '../../lib/visible-text.ts';
import { counted } from '../../lib/counted.ts';
import { planStreams } from '../../media/join/stream-plan.ts';
import { describePipeline } from '../../pipelines/describe-pipeline.ts';
import { removeHalfOutputsOf } from '../../workspace/half-output.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { acceptablePath } from './acceptable-path.ts';
import { assertNameIsFree, reserveOutputName } from '../output-name.ts';
import { checkDiskSpace } from './check-disk-space.ts';
import { deviceMemories } from './device-memory.ts';
import { findJobModels } from './find-job-models.ts';
import { keepIntactBatches } from './keep-intact-batches.ts';
import { assertOutputAllowed, outputPaths } from './output-path.ts';
import { planJob } from './plan-job.ts';
import { prepareSource } from './prepare-source.ts';
import type { PreparedJob } from './prepared-job.ts';
import { isTiled } from './tile-sizes.ts';

/**
 * Decides everything before the first frame: source and frame index, output path, models, plan, the checkpoints that
 * still hold, and whether the disk has room for the rest.
 */
export async function prepareJob(context: JobContext, folder: JobFolder): Promise<PreparedJob> {
  const { home, job, lease, queue, settings } = context;
  const source = await prepareSource(context, folder);
  const { media } = source;
  const framesTotal = source.index.pts.length;
  const streams = planStreams(media, settings.output.container);
  const outputPath = await chooseOutputPath(context, streams.extension);

  const models = await findJobModels(context);
  const pipeline = describePipeline(job.recipe, media);
  const memories = isTiled(job.recipe, models.model) ? await deviceMemories(job.recipe.device) : null;
  const plan = await planJob(context, { media, ...models, formats: pipeline.formats, memories });
  queue.progress.setPlan(lease, plan, framesTotal);
  queue.progress.setVideo(lease, { ...shapeOf(media), frames: framesTotal });

  const committed = await keepIntactBatches(context, folder);
  const missing = missingBatches(plan, framesTotal, new Set(committed.map(({ number }) => number)));
  const prepared = {
    ...source,
    ...models,
    ...pipeline,
    ...{ plan, memories, streams, outputPath, committed, missing },
  };
  logPreparation(context, prepared);
  await removeHalfOutputsOf(home.id, job.id, outputPath);
  await checkDiskSpace(context, folder, prepared);
  return prepared;
}

/** Reserves the final name of the output. @throws InputRejectedError if it must not be written */
async function chooseOutputPath(context: JobContext, extension: string): Promise<string> {
  const { job, log } = context;
  const outputPath = acceptablePath(context, job.outputPath);
  if (outputPath !== job.outputPath)
    log.info(
      `the file system of the output does not accept the name ${visibleText(basename(job.outputPath))}; the finished video will be ${basename(outputPath)}`,
    );
  const [best, ...others] = outputPaths({ ...job, outputPath }, extension);
  if (job.plan === null) await assertNameIsFree(context, best);
  let path = '';
  for (const wanted of [best, ...others]) {
    assertOutputAllowed(context, wanted);
    ({ path } = await reserveOutputName(context, wanted));
    if (path === wanted) break;
  }
  if (![best, ...others].includes(path))
    log.info(`another file is named ${basename(best)}; the finished video will be ${basename(path)}`);
  assertOutputAllowed(context, path);
  return path;
}

function logPreparation(
  { job, log }: JobContext,
  { formats: { input, output }, plan, index, committed }: PreparedJob,
): void {
  const framesTotal = index.pts.length;
  const batches = counted(batchCount(plan, framesTotal), 'batch', 'batches');
  log.info(
    `${describeRecipe(job.recipe)}: ${input.width}x${input.height} to ${output.width}x${output.height}, ${counted(framesTotal, 'frame')} in ${batches}`,
  );
  const framesCommitted = committed.reduce((sum, batch) => sum + batch.frameCount, 0);
  if (framesCommitted > 0)
    log.info(`resuming from checkpoint: ${framesCommitted} of ${framesTotal} frames already done`);
}
