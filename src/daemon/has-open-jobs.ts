import type { Queue } from '../queue/queue.ts';

/**
 * Whether a job of the daemon is queued or running. Jobs of a paused queue count; jobs of `framekiln run` belong to that
 * command.
 */
export function hasOpenJobs({ jobs }: Queue): boolean {
  const open = (['queued', 'running'] as const).flatMap((state) => jobs.listJobs({ state }));
  return open.some(({ origin }) => origin !== 'run');
}
