import type { JobPlan } from '../../domain/job.ts';
import type { WantedContainer } from '../../media/join/stream-plan.ts';

/**
 * The container that a job makes. A change of the setting applies to a job that has begun only if its segments fit the other
 * container.
 */
export function containerFor(plan: JobPlan | null, setting: WantedContainer): WantedContainer {
  if (plan === null) return setting;
  if (plan.container !== undefined) return plan.container;
  return setting === 'webm' || setting === 'gif' ? 'source' : setting;
}
