import { basename } from 'node:path';
import type { Job } from '../domain/job.ts';
import { isOwnerAlive } from '../lib/process/process-identity.ts';
import type { Logger } from '../observability/log-entry.ts';
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
 * Requeues the jobs of a worker that has ended. A crash in the last attempt of a job fails it permanently.
 *
 * @param isCharged whether a crash counts as a failed attempt of its job
 * @returns these jobs as they are then
 */
export function requeueJobsOf(
  { crashed, how, wasOwner }: WorkerEnd,
  {
    queue,
    attempts,
    isCharged,
  }: { readonly queue: Queue; readonly attempts: number; readonly isCharged: boolean },
): Job[] {
  const failure = crashed && isCharged ? workerCrash(how, attempts) : null;
  const ids = queue.sweepLeases({ isOwnerAlive, nowMs: Date.now(), failure, isToBlame: wasOwner });
  return ids.flatMap((id) => queue.jobs.getJob(id) ?? []);
}

/** Logs what becomes of a job whose worker has ended without finishing it. */
export function logEndOfAttempt({ id, sourcePath, state, errorCode }: Job, log: Logger): void {
  const ofJob = log.child(basename(sourcePath));
  if (state === 'failed')
    ofJob.error(`failed permanently (${errorCode ?? 'INTERNAL'}); to try again: framekiln retry ${id}`);
  else ofJob.info('queued again; will resume from the last checkpoint');
}

/** The number of running jobs of the daemon; those of `framekiln run` belong to that command. */
function runningJobCount(queue: Queue): number {
  return queue.jobs.listJobs({ state: 'running' }).filter(({ origin }) => origin !== 'run').length;
}
