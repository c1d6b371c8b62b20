import { isOwnerAlive } from '../lib/process/process-identity.ts';
import type { Queue } from '../queue/queue.ts';
import type { WorkerEnd } from './supervisor.ts';
import { workerCrash } from './worker-crash.ts';

/**
 * Whether the next worker should run one job at a time: with several running jobs it is unknown which one crashed the
 * worker. None of them loses an attempt, and each then runs alone.
 */
export function mustRunAlone({ crashed }: WorkerEnd, queue: Queue): boolean {
  return crashed && runningJobCount(queue) > 1;
}

/**
 * Requeues the jobs of a worker that has ended.
 *
 * @param isCharged whether a crash counts as a failed attempt of its job
 */
export function requeueJobsOf(
  { crashed, how, wasOwner }: WorkerEnd,
  {
    queue,
    attempts,
    isCharged,
  }: { readonly queue: Queue; readonly attempts: number; readonly isCharged: boolean },
): void {
  const failure = crashed && isCharged ? workerCrash(how, attempts) : null;
  queue.sweepLeases({ isOwnerAlive, nowMs: Date.now(), failure, isToBlame: wasOwner });
}

/** The number of running jobs of the daemon; those of `framekiln run` belong to that command. */
function runningJobCount(queue: Queue): number {
  return queue.jobs.listJobs({ state: 'running' }).filter(({ origin }) => origin !== 'run').length;
}
