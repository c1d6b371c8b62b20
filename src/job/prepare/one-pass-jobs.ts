import { counted } from '../../lib/counted.ts';
import type { JobContext } from '../job-context.ts';

/**
 * A split screen that an older version began in one pass starts over, because its frames and those of two passes would not
 * match where they meet. The segments without a row are removed later, like all others.
 */
export function withoutPlanOfOnePass(context: JobContext): JobContext {
  const { queue, job, lease, log } = context;
  if (job.recipe.pipeline !== 'dual-face' || job.plan === null || job.plan.passes === 2) return context;
  const frames = queue.batches.listBatches(job.id).reduce((sum, { frameCount }) => sum + frameCount, 0);
  queue.batches.removeAll(lease);
  if (frames > 0)
    log.warn(
      `starting over: an older version of Framekiln made ${counted(frames, 'frame')} of this split screen without looking ahead`,
    );
  return { ...context, job: { ...job, plan: null } };
}
