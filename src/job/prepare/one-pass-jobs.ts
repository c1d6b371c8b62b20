import { counted } from '../../lib/counted.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { keepIntactBatches } from './keep-intact-batches.ts';

/**
 * A split screen that an older version began in one pass starts over, because its frames and those of two passes would not
 * match where they meet. If all its frames are there, it is finished as it began. The segments without a row are removed
 * later, like all others.
 */
export async function withoutPlanOfOnePass(
  context: JobContext,
  folder: JobFolder,
  framesTotal: number,
): Promise<JobContext> {
  const { queue, job, lease, log } = context;
  if (job.recipe.pipeline !== 'dual-face' || job.plan === null || job.plan.passes === 2) return context;
  const intact = await keepIntactBatches(context, folder);
  const frames = intact.reduce((sum, { frameCount }) => sum + frameCount, 0);
  if (frames === framesTotal) return context;
  queue.batches.removeAll(lease);
  if (frames > 0)
    log.warn(
      `starting over: ${counted(frames, 'frame')} of this split screen ${frames === 1 ? 'is' : 'are'} from an older version of Framekiln and would not match the new ones`,
    );
  return { ...context, job: { ...job, plan: null } };
}
