import type { BatchRange } from '../../domain/frame-batch.ts';
import { measure, type STAGES } from '../../observability/measurements.ts';
import { BATCHES_IN_FLIGHT } from '../../workspace/batch-sizes.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';
import { adviseOnModel } from './advise-on-model.ts';
import { analyseVideo } from './analyse-video.ts';
import { CommitStage } from './commit-stage.ts';
import { createDecodeStage, createEncodeStage } from './create-stages.ts';
import { JobProgress } from './job-progress.ts';
import { openFrameFiles } from './open-frame-files.ts';
import { openPipeline } from './open-pipeline.ts';
import { runStages } from './scheduler.ts';
import { TileMemory } from './tile-memory.ts';
import { TransformStage } from './transform-stage.ts';

/**
 * Takes every batch without a checkpoint through decode, transform, encode and commit, after the whole video has been analysed
 * where the pipeline needs that. The RAM disk exists only during
 * that time; after a failure it stays, so that the next attempt can reuse its frames.
 *
 * @param ready gives the batches one by one as their speech arrives; absent: all missing ones can be processed
 */
export async function processBatches(
  context: JobContext,
  folder: JobFolder,
  prepared: PreparedJob,
  ready?: (signal: AbortSignal) => AsyncIterable<BatchRange>,
): Promise<void> {
  const { missing, committed, plan, index, formats, hasAnalysis } = prepared;
  const { queue, job, lease, log, inference, signal } = context;
  if (missing.length === 0) return;
  const { files, remove } = await openFrameFiles(context, folder, plan);
  try {
    const framesTotal = index.pts.length;
    const decided = await openPipeline(context, prepared, framesTotal);
    if (hasAnalysis) await analyseVideo(context, prepared, files);
    queue.progress.setStage(lease, 'frames');
    const framesCommitted = committed.reduce((sum, { frameCount }) => sum + frameCount, 0);
    const pass = hasAnalysis ? ({ name: 'drawing', followedBy: 0 } as const) : null;
    const progress = new JobProgress(context, framesTotal, framesCommitted, plan.firstBatchFrames, pass);
    // The frames of the analysis no longer count.
    if (hasAnalysis) progress.store();
    const tiles = new TileMemory(context, decided, framesTotal);
    const decode = createDecodeStage(context, prepared, files);
    const transform = new TransformStage({
      ...{ inference, files, progress, tiles, log, formats },
      directionOf: (number) => queue.analyses.getDirection(job.id, number)?.direction ?? null,
    });
    const encode = createEncodeStage(context, prepared, folder);
    const commit = new CommitStage({ context, folder, files, progress, encode });
    try {
      await runStages(
        ready ?? missing,
        {
          decode: async (range) => {
            const decoded = await timed('decode', range, () => decode.run(range));
            await adviseOnModel(context, formats.input, decoded);
            return decoded;
          },
          transform: (batch, stop) => timed('transform', batch.range, () => transform.run(batch, stop)),
          encode: (batch, stop) => timed('encode', batch.range, () => encode.run(batch, stop)),
          commit: (batch, stop) => timed('commit', batch.range, () => commit.run(batch, stop)),
        },
        BATCHES_IN_FLIGHT,
        signal,
      );
    } finally {
      await decode.close();
    }
    await remove();
  } finally {
    // Not awaited here: the thread may be in a run of many seconds, which nothing can interrupt. The worker awaits it.
    inference.close().catch(() => undefined);
  }
}

/** Measures how long a stage takes for a batch, if it succeeds. */
async function timed<Result>(
  stage: (typeof STAGES)[number],
  { frameCount: frames }: BatchRange,
  run: () => Promise<Result>,
): Promise<Result> {
  const startedAtMs = performance.now();
  const result = await run();
  measure({ kind: 'stage', stage, ms: performance.now() - startedAtMs, frames });
  return result;
}
