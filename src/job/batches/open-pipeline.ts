import type { JobPlan } from '../../domain/job.ts';
import { batchForVideoMemory } from '../../hardware/video-memory.ts';
import { usableThreads } from '../../inference/usable-threads.ts';
import { readGroupLimits } from '../../lib/control-groups.ts';
import type { JobContext } from '../job-context.ts';
import { speechOf } from '../prepare/speech-of-job.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';

/**
 * Opens the pipeline of the job on the inference thread and logs which engine runs it.
 *
 * @returns the plan, stored with the decision whether WebGPU computes
 */
export async function openPipeline(
  context: JobContext,
  {
    media,
    model,
    embedding,
    enhancer = null,
    detector,
    plan,
    toYuv,
    memories,
    ...video
  }: Pick<
    PreparedJob,
    | 'media'
    | 'model'
    | 'embedding'
    | 'enhancer'
    | 'detector'
    | 'plan'
    | 'toYuv'
    | 'memories'
    | 'cycle'
    | 'isAhead'
  >,
  framesTotal: number,
): Promise<JobPlan> {
  const { inference, queue, lease, job, settings, traceFile, log, signal } = context;
  const speech = await speechOf(context, {
    ...video,
    media,
    plan,
    ...(detector === undefined ? {} : { detector }),
  });
  const { summary, usesWebGpu } = await inference.open(
    {
      jobId: job.id,
      recipe: job.recipe,
      source: media,
      ...{ model, embedding, enhancer, speech, traceFile },
      detector: detector ?? null,
      decodedTo: plan.decodedTo,
      toYuv,
      shrinksWith: plan.shrinksWith,
      reusesTiles: plan.reusesTiles,
      tile: plan.tile,
      gpuTile: plan.gpuTile,
      otherGpuTile: plan.otherGpuTile,
      threads: usableThreads(settings.engine.threads, await readGroupLimits()),
      precision: plan.precision,
      webGpu: plan.webGpu,
      // The place in the queue is a matter of order; among running jobs a priority doubles or halves the share.
      weight: job.priority > 0 ? 2 : job.priority < 0 ? 0.5 : 1,
      sharing: {
        batch: batchForVideoMemory(settings.streams.batch, memories?.gpu?.freeBytes ?? Infinity),
        waitMs: settings.streams.waitMs,
      },
    },
    settings.engine.stallSeconds * 1000,
    signal,
  );
  log.info(summary);
  if (plan.webGpu !== 'undecided') return plan;
  const decided = { ...plan, webGpu: usesWebGpu ? 'used' : 'unused' } as const;
  // Before the first frame, so that all frames are made the same way.
  queue.progress.setPlan(lease, decided, framesTotal);
  return decided;
}
