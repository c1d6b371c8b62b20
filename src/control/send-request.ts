import { setTimeout as delay } from 'node:timers/promises';
import type { NewCommand } from '../queue/command-store.ts';
import type { Queue } from '../queue/queue.ts';

const ANSWER_WITHIN_MS = 3000;
const LOOK_EVERY_MS = 50;

/** A command for the daemon. */
export type Request = Omit<NewCommand, 'nowMs'>;

/**
 * What became of a request: the daemon carried it out (`done`) or could not (`rejected`), it will when it has time
 * (`busy`) or when it starts (`waiting`), or there is no such job (`unknown-job`).
 */
export interface RequestOutcome {
  readonly kind: 'done' | 'rejected' | 'busy' | 'waiting' | 'unknown-job';
  /** A sentence for the user. */
  readonly sentence: string;
}

export interface RequestTargets {
  readonly queue: Queue;
  readonly isDaemonRunning: () => boolean;
  readonly now: () => number;
}

/** Sends a request to the daemon and waits up to 3 s for the outcome. A request waits in the database until it is carried out. */
export async function sendRequest(
  { queue, isDaemonRunning, now }: RequestTargets,
  request: Request,
): Promise<RequestOutcome> {
  const { commands, jobs } = queue;
  if (request.jobId !== null && jobs.getJob(request.jobId) === null)
    return {
      kind: 'unknown-job',
      sentence: `There is no job ${request.jobId}; to list the jobs: framekiln status`,
    };
  const id = commands.insertCommand({ ...request, nowMs: now() });
  if (!isDaemonRunning())
    return {
      kind: 'waiting',
      sentence: 'The daemon is not running; the command takes effect when the daemon starts.',
    };
  const giveUpAtMs = now() + ANSWER_WITHIN_MS;
  while (now() < giveUpAtMs) {
    const outcome = commands.getOutcome(id);
    if (outcome !== null) return { kind: outcome.succeeded ? 'done' : 'rejected', sentence: outcome.result };
    await delay(LOOK_EVERY_MS);
  }
  return { kind: 'busy', sentence: 'The daemon is busy; it will carry out the command as soon as it can.' };
}
