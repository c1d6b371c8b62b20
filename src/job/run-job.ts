import { relative } from 'node:path';
import { batchCount, batchRange, type BatchRange } from '../domain/frame-batch.ts';
import { LeaseLostError } from '../domain/errors.ts';
import { shapeOf } from '../domain/estimate.ts';
import type { CommittedBatch, JobPlan } from '../domain/job.ts';
import { describeRecipe, recipeText } from '../domain/recipe.ts';
import { planStreams } from '../media/join/stream-plan.ts';
import { batchForVideoMemory } from '../hardware/video-memory.ts';
import type { Logger } from '../observability/log-entry.ts';
import { formatDuration } from '../observability/format-progress.ts';
import { createPipeline } from '../pipelines/create-pipeline.ts';
import { FrameFiles } from '../workspace/frame-files.ts';
import { removeHalfOutputsOf } from '../workspace/half-output.ts';
import { JobFolder } from '../workspace/job-folder.ts';
import { spareMemoryBytes } from '../workspace/memory.ts';
import { openRamDisk, ramDiskPlaces, removeRamDisk } from '../workspace/ram-disk.ts';
import { findJobModels } from './prepare/find-job-models.ts';
import { deviceMemories } from './prepare/device-memory.ts';
import { assertSpace } from './prepare/assert-space.ts';
import type { JobContext } from './job-context.ts';
import { isTiled, rememberTile } from './prepare/job-tiles.ts';
import { LEASE_MS } from '../queue/lease-store.ts';
import { planJob } from './prepare/plan-job.ts';
import type { PlannedJob } from './prepare/planned-job.ts';
import { prepareSource } from './prepare/prepare-source.ts';
import { assertOutputAllowed, withExtension } from './prepare/output-path.ts';
import { publishOutput } from './finish/publish-output.ts';
import { settleSource } from './finish/settle-source.ts';
import { transformBatches } from './batches/transform-batches.ts';
import { Transformer } from '../inference-thread/client.ts';

/**
 * Does one job from wherever it stands to its end: probe, index, plan, frames, join, check, publish, settle the source.
 * Whatever happened before, only what has no checkpoint is done. `finish` comes last: whoever is killed before it leaves
 * a job that is taken up again, so that nothing is left behind that nobody would come back to.
 *
 * Throws the error that ended it; the caller decides what becomes of the job.
 */
export async function runJob(context: JobContext): Promise<void> {
  const { home, job, lease, queue, log } = context;
  const startedAt = performance.now();
  const folder = new JobFolder(home.jobsDir, job.id);
  const { signature, outputPath } =
    job.publishedAtMs === null
      ? await publish(context, folder)
      : { signature: null, outputPath: job.outputPath };
  await settleSource(context, signature);
  if (!context.settings.workspace.keepJobFolders) await folder.remove();
  queue.leases.finish(lease, Date.now());
  log.info(`done in ${formatDuration(performance.now() - startedAt)}: ${relative(home.root, outputPath)}`);
}

/** Everything up to the published file. */
async function publish(context: JobContext, folder: JobFolder): Promise<PlannedJob> {
  const { job, lease, queue, log } = context;
  folder.create();
  const planned = await plan(context, folder);
  const framesTotal = planned.index.pts.length;
  queue.progress.setPlan(lease, planned.plan, framesTotal);
  queue.progress.setVideo(lease, { ...shapeOf(planned.media), frames: framesTotal });

  const committed = await intactBatches(context, folder);
  const missing = batchesWithout(committed, planned.plan, framesTotal);
  const framesCommitted = committed.reduce((sum, batch) => sum + batch.frameCount, 0);
  const { input, output } = planned.formats;
  log.info(
    `${describeRecipe(job.recipe)}: ${input.width}x${input.height} to ${output.width}x${output.height}, ${framesTotal} frames in ${batchCount(planned.plan, framesTotal)} batches`,
  );
  if (framesCommitted > 0) {
    log.info(
      `resumed after ${committed.length} committed batches: ${framesCommitted} of ${framesTotal} frames need no work any more`,
    );
  }
  await removeHalfOutputsOf(job.id, planned.outputPath);
  await assertSpace(context, folder, planned, committed);
  if (missing.length > 0) await doFrames(context, { planned, folder, missing, committed });
  await publishOutput(context, folder, planned);
  return planned;
}

async function plan(context: JobContext, folder: JobFolder): Promise<PlannedJob> {
  const { job } = context;
  const source = await prepareSource(context, folder);
  const streams = planStreams(source.media);
  const outputPath = withExtension(job.outputPath, streams.extension);
  await assertOutputAllowed(context, outputPath);
  const models = await findJobModels(context);
  const pipeline = createPipeline(job.recipe, {
    ...models,
    tile: null,
    threads: 0,
    onInferred: () => undefined,
    onStepDown: () => undefined,
  });
  const formats = pipeline.describe(source.media);
  const memories = isTiled(job.recipe, models.model) ? await deviceMemories(job.recipe.device) : null;
  return {
    ...source,
    streams,
    outputPath,
    formats,
    hasState: pipeline.hasState,
    ...models,
    memories,
    plan: await planJob(context, { media: source.media, ...models, formats, memories }),
  };
}

/** The checkpoints whose segments are still there, byte for byte; a row without its segment is taken back. */
async function intactBatches(
  { queue, job, lease, log, signal }: JobContext,
  folder: JobFolder,
): Promise<CommittedBatch[]> {
  const intact: CommittedBatch[] = [];
  for (const batch of queue.batches.listBatches(job.id)) {
    signal.throwIfAborted();
    if (await folder.isIntact(batch)) {
      intact.push(batch);
      continue;
    }
    log.warn(
      `the segment of batch ${batch.number} is missing or damaged; its ${batch.frameCount} frames are done again`,
    );
    queue.batches.removeBatch(lease, batch.number);
  }
  // Whoever lost the lease while it was looking must not remove the segments of its successor (R10).
  if (!queue.leases.renew(lease, Date.now(), LEASE_MS))
    throw new LeaseLostError(`Job ${job.id} is another worker's.`);
  await folder.removeStrangers(new Set(intact.map((batch) => batch.segmentName)));
  return intact;
}

function batchesWithout(
  committed: readonly CommittedBatch[],
  sizes: JobPlan,
  framesTotal: number,
): BatchRange[] {
  const present = new Set(committed.map((batch) => batch.number));
  const missing: BatchRange[] = [];
  for (let number = 0; ; number++) {
    const range = batchRange(sizes, framesTotal, number);
    if (range === null) return missing;
    if (!present.has(number)) missing.push(range);
  }
}

interface MissingFrames {
  readonly planned: PlannedJob;
  readonly folder: JobFolder;
  readonly missing: readonly BatchRange[];
  readonly committed: readonly CommittedBatch[];
}

async function doFrames(
  context: JobContext,
  { planned, folder, missing, committed }: MissingFrames,
): Promise<void> {
  const { home, job, lease, queue, settings, log, signal } = context;
  queue.progress.setStage(lease, 'frames');
  const stamp = {
    owner: lease.owner,
    contents: JSON.stringify([job.id, job.fingerprint, recipeText(job.recipe), sameFrames(planned.plan)]),
  };
  const ramDisk = await openRamDisk(ramDiskPlaces(home.stateDir), lease, stamp, settings.workspace);
  const spill = await folder.openSpill(ramDisk);
  const where = ramDisk.kind === 'folder' ? 'no RAM disk: frames go to' : 'RAM disk:';
  const reason = ramDisk.reason === null ? '' : ` (${ramDisk.reason})`;
  log.info(`${where} ${ramDisk.path}, up to ${Math.floor(ramDisk.sizeBytes / 1024 / 1024)} MB${reason}`);
  let { plan } = planned;
  const transformer = new Transformer(
    context.transformHost,
    {
      jobId: job.id,
      recipe: job.recipe,
      source: planned.media,
      model: planned.model,
      embedding: planned.embedding,
      tile: planned.plan.tile,
      gpuTile: planned.plan.gpuTile,
      threads: settings.engine.threads,
      // Its place in the queue is a matter of order; among those that run it counts for twice or half.
      weight: job.priority > 0 ? 2 : job.priority < 0 ? 0.5 : 1,
      sharing: {
        batch: batchForVideoMemory(settings.streams.batch, planned.memories?.gpu?.freeBytes ?? Infinity),
        waitMs: settings.streams.waitMs,
      },
      traceFile: context.traceFile,
    },
    settings.engine.stallSeconds * 1000,
    {
      onNotice: (notice) => log.warn(notice),
      onSmallerTile: (device, tile) => {
        plan = rememberTile(
          context,
          { ...planned, plan, framesTotal: planned.index.pts.length },
          device,
          tile,
        );
      },
    },
  );
  try {
    await transformer.ready(signal);
    log.info(transformer.summary);
    await transformBatches(context, {
      planned,
      folder,
      files: new FrameFiles({
        ramPath: ramDisk.path,
        spillPath: spill,
        spareMemoryBytes: ramDisk.kind === 'folder' ? () => Promise.resolve(Infinity) : spareMemoryBytes,
        onSpill: (sentence) => log.warn(sentence),
      }),
      transformer,
      batches: missing,
      committed,
    });
    await removeRamDisk(ramDisk);
    await folder.removeSpill();
  } finally {
    // Not waited for here: the thread may sit in a run of seconds, which nothing can break off.
    const closed = transformer.close().then(() => tellShares(transformer, log));
    // It may reject long before the worker comes to wait for it.
    closed.catch(() => undefined);
    context.leaveBehind(closed);
  }
}

/** What of a plan frames must have in common to be used again. Tiles may become smaller in mid-job and leave them good. */
function sameFrames(plan: JobPlan): object {
  return { ...plan, tile: undefined, gpuTile: undefined };
}

/** What the job had of its models while others ran, if it ran any. */
function tellShares({ shares }: Transformer, log: Logger): void {
  for (const { requests, totalMs, longestMs } of shares.filter((share) => share.requests > 1)) {
    const mean = Math.round(totalMs / requests);
    log.info(
      `model: ${requests} runs, ${mean} ms each from request to result, ${Math.round(longestMs)} ms at most`,
    );
  }
}
