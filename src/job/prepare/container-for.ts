import type { JobPlan } from '../../domain/job.ts';
import type { WantedContainer } from '../../media/join/stream-plan.ts';

/**
 * The container that a job makes, which it keeps when the setting changes. Plans of older versions name it only where the
 * segments fit no other one.
 */
export function containerFor(plan: JobPlan | null, setting: WantedContainer): WantedContainer {
  if (plan === null) return setting;
  if (plan.container !== undefined) return plan.container;
  return setting === 'webm' || setting === 'gif' ? 'source' : setting;
}
