import type { Job } from '../domain/job.ts';
import type { Queue } from '../queue/queue.ts';

/**
 * The jobs of the daemon that are queued or running. Jobs of a paused queue count; jobs of `framekiln run` belong to that
 * command.
 */
export function openJobs({ jobs }: Queue): Job[] {
  const open = (['queued', 'running'] as const).flatMap((state) => jobs.listJobs({ state }));
  return open.filter(({ origin }) => origin !== 'run');
}
