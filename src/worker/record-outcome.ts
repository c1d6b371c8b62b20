import type { Settings } from '../config/settings.ts';
import { codeOf, InputRejectedError, MaybeIncompleteError } from '../domain/errors.ts';
import { isOfRun, type Job, type Lease } from '../domain/job.ts';
import type { Logger } from '../observability/log-entry.ts';
import { measure } from '../observability/measurements.ts';
import { LONGEST_WAIT_MS, type Release } from '../queue/lease-store.ts';
import type { Queue } from '../queue/queue.ts';
import { isExplained, outcomeOf } from './outcome.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';

/** Pause before a job that met a transient error is tried again. */
const TRANSIENT_WAIT_MS = 30_000;

const NOT_CHARGED: Release = {
  countAttempt: false,
  notBeforeAtMs: null,
  note: null,
  errorCode: null,
  errorMessage: null,
};

/**
 * Writes the outcome of a job that did not finish to the queue, in one transaction, and logs it.
 *
 * @returns whether the job will be tried again soon, so that its frames on the RAM disk are worth keeping
 * @throws the error itself when nothing may be written for the job
 */
export function recordOutcome(
  { queue, settings, log }: { readonly queue: Queue; readonly settings: Settings; readonly log: Logger },
  job: Job,
  lease: Lease,
  error: Error,
): boolean {
  const nowMs = Date.now();
  const failure = { code: codeOf(error), message: error.message, nowMs };
  const outcome = outcomeOf(error);
  switch (outcome) {
    case 'lost':
    case 'worker-ends':
      throw error;
    case 'released':
      queue.leases.release(lease, NOT_CHARGED);
      log.info('stopped; back in the queue with its checkpoints');
      return false;
    case 'waiting': {
      const isIncomplete = error instanceof MaybeIncompleteError;
      const waitMs = isIncomplete ? error.lookAgainAtMs - nowMs : TRANSIENT_WAIT_MS;
      const notBeforeAtMs = nowMs + Math.min(waitMs, LONGEST_WAIT_MS);
      queue.leases.release(lease, { ...NOT_CHARGED, notBeforeAtMs, note: `waiting: ${error.message}` });
      const seconds = Math.ceil((notBeforeAtMs - nowMs) / 1000);
      log.warn(
        isIncomplete
          ? `${withoutFullStop(error.message)}; checking again in ${seconds} s`
          : `${withoutFullStop(error.message)}; retrying every ${seconds} s without using an attempt`,
      );
      return false;
    }
    case 'rejected':
      queue.inTransaction(() => {
        queue.leases.fail(lease, failure);
        // Another copy of the video may still be there.
        if (failure.code === 'SOURCE_MISSING') queue.seenFiles.forgetDuplicates();
        queue.events.addEvent(job.id, { atMs: nowMs, kind: 'rejected', message: error.message });
      });
      log.error(
        `${error instanceof InputRejectedError ? 'rejected' : 'failed permanently'} (${failure.code}): ${error.message}`,
      );
      return false;
    case 'attempt-failed': {
      const state = queue.inTransaction(() => {
        queue.events.addEvent(job.id, { atMs: nowMs, kind: 'attempt-failed', message: error.message });
        return queue.leases.failAttempt(lease, { ...failure, maxAttempts: settings.attempts });
      });
      log.error(`attempt failed: ${isExplained(error) ? error.message : (error.stack ?? error.message)}`);
      if (state === 'failed')
        log.error(`failed permanently (${failure.code}); to try again: ${retryCommand(job)}`);
      else measure({ kind: 'recovery', of: 'attempt' });
      return state === 'queued';
    }
  }
}

/** The daemon never claims a job of `framekiln run`, so `retry` rejects it. */
function retryCommand(job: Job): string {
  return isOfRun(job) ? 'repeat the framekiln run command' : `framekiln retry ${job.id}`;
}
