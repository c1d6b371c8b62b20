import { batchRange } from '../../domain/frame-batch.ts';
import { encodeBoxes, type SpeakingBox } from '../../pipelines/lip-sync/face-boxes.ts';
import { repeatBoxes } from '../../pipelines/lip-sync/repeat-boxes.ts';
import type { JobContext } from '../job-context.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';

/**
 * Gives each batch of a video that got another length the faces that were chosen before, because they were chosen in the frames of
 * the source, and frames may be drawn already. Does nothing as long as nothing is chosen.
 *
 * @returns whether the faces are chosen
 */
export function extendDirections(
  { queue, job, lease }: Pick<JobContext, 'queue' | 'job' | 'lease'>,
  { plan, index, cycle }: Pick<PreparedJob, 'plan' | 'index' | 'cycle'>,
): boolean {
  const decisions = queue.analyses.getDecisions(job.id);
  if (decisions === null || cycle === undefined) return false;
  const chosen = (JSON.parse(decisions) as { readonly boxes: readonly (SpeakingBox | null)[] }).boxes;
  const framesTotal = index.pts.length;
  if (chosen.length === framesTotal) return true;
  const boxes = repeatBoxes(chosen, framesTotal, cycle);
  const directions: Uint8Array[] = [];
  for (let range = batchRange(plan, framesTotal, 0); range !== null;) {
    directions.push(encodeBoxes(boxes.slice(range.firstFrame, range.firstFrame + range.frameCount)));
    range = batchRange(plan, framesTotal, range.number + 1);
  }
  queue.analyses.storeDirections(lease, directions, JSON.stringify({ boxes }));
  return true;
}
