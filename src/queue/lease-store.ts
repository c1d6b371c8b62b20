import type { Job, Lease } from '../domain/job.ts';
import { failPoint } from '../lib/fail-point.ts';
import { backOffMs } from '../lib/back-off.ts';
import type { Database } from './sqlite.ts';
import type { HomePaths } from './home-paths.ts';
import { IN_ORDER, JOB_COLUMNS, jobFromRow, RELEASED, type JobRow } from './job-row.ts';
import { assertHeld, HELD, leaseLost } from './lease-guard.ts';
import { transaction } from './transaction.ts';

/** A job waits 2 s after its first failed attempt in a row, then 8 s, 32 s, 128 s, and 5 min at most. */
const FIRST_WAIT_MS = 2_000;
const WAIT_GROWTH = 4;
/** No job waits longer, for whatever reason. */
export const LONGEST_WAIT_MS = 5 * 60_000;

/** How long a lease lasts: long enough for two missed renewals. */
export const LEASE_MS = 30_000;

export interface ClaimRequest {
  /** Owner string of the claiming process, from `ownOwner` in lib/process/process-identity. */
  readonly owner: string;
  readonly nowMs: number;
  readonly leaseMs: number;
  /** Claim this job or none, even if the queue is paused; for `framekiln run`. */
  readonly onlyJobId?: number;
  /** IDs of jobs that must not be claimed. */
  readonly except?: readonly number[];
}

export interface Claimed {
  readonly job: Job;
  readonly lease: Lease;
}

export interface Release {
  /** Whether the attempt counts; false if the job is not to blame, as for a shutdown or a full disk. */
  readonly countAttempt: boolean;
  readonly notBeforeAtMs: number | null;
  readonly note: string | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
}

export interface FailedAttempt {
  readonly code: string;
  readonly message: string;
  readonly maxAttempts: number;
  readonly nowMs: number;
}

export type LeaseStore = ReturnType<typeof createLeaseStore>;

/**
 * The condition of a job that may be claimed. Parameters: @onlyJobId, null for the daemon's workers, and @nowMs. No job waits longer than LONGEST_WAIT_MS, so a
 * later instant was written before the clock was set back, and is ignored.
 */
const CLAIMABLE = `
  state = 'queued' AND (not_before_at_ms IS NULL OR not_before_at_ms NOT BETWEEN @nowMs + 1 AND @nowMs + ${LONGEST_WAIT_MS})
  AND CASE WHEN @onlyJobId IS NULL
    THEN origin <> 'run' AND NOT EXISTS (SELECT 1 FROM settings WHERE key = 'queue_paused')
    ELSE id = @onlyJobId END`;

/**
 * The leases of jobs. `claim` leases a job under a new token; every write under the lease carries that token and throws
 * LeaseLostError once the job is held under another one, or not at all.
 *
 * `attempts` counts the attempts since the last committed batch, including the current one.
 */
export function createLeaseStore(db: Database, paths: HomePaths) {
  const claimNext = db.prepare<object, JobRow & { token: number }>(
    `UPDATE jobs SET state = 'running', lease_owner = @owner, lease_token = lease_token + 1,
       lease_expires_at_ms = @nowMs + @leaseMs, attempts = attempts + 1, not_before_at_ms = NULL, note = NULL,
       started_at_ms = coalesce(started_at_ms, @nowMs)
     WHERE id = (SELECT id FROM jobs WHERE ${CLAIMABLE} AND id NOT IN (SELECT value FROM json_each(@except)) ORDER BY ${IN_ORDER} LIMIT 1)
     RETURNING ${JOB_COLUMNS}, lease_token AS token`,
  );
  const selectClaimable = db.prepare<object, { id: number }>(
    `SELECT id FROM jobs WHERE ${CLAIMABLE} LIMIT 1`,
  );
  const extend = db.prepare<object>(`UPDATE jobs SET lease_expires_at_ms = @nowMs + @leaseMs WHERE ${HELD}`);
  const requeue = db.prepare<object>(
    `UPDATE jobs SET state = 'queued', attempts = max(0, attempts - @attemptsBack), not_before_at_ms = @notBeforeAtMs,
       note = @note, error_code = @errorCode, error_message = @errorMessage, ${RELEASED} WHERE ${HELD}`,
  );
  const setFailed = db.prepare<object>(
    `UPDATE jobs SET state = 'failed', error_code = @code, error_message = @message, finished_at_ms = @nowMs, ${RELEASED}
     WHERE ${HELD}`,
  );
  const setDone = db.prepare<object>(
    `UPDATE jobs SET state = 'done', error_code = NULL, error_message = NULL, finished_at_ms = @nowMs, ${RELEASED},
       frames_done = coalesce(frames_total, frames_done)
     WHERE ${HELD}`,
  );
  const selectAttempts = db.prepare<Lease, { attempts: number }>(`SELECT attempts FROM jobs WHERE ${HELD}`);

  function release(lease: Lease, request: Release): void {
    const attemptsBack = request.countAttempt ? 0 : 1;
    failPoint('release-lease.before-write');
    assertHeld(lease, requeue.run({ ...lease, ...request, attemptsBack }).changes);
    failPoint('release-lease.written');
  }

  function fail(lease: Lease, failure: { code: string; message: string; nowMs: number }): void {
    assertHeld(lease, setFailed.run({ ...lease, ...failure }).changes);
  }

  const failAttempt = transaction(
    db,
    'fail-attempt',
    (lease: Lease, failure: FailedAttempt): 'queued' | 'failed' => {
      const held = selectAttempts.get(lease);
      if (held === undefined) throw leaseLost(lease);
      if (held.attempts >= failure.maxAttempts) {
        fail(lease, failure);
        return 'failed';
      }
      const { code: errorCode, message: errorMessage } = failure;
      const notBeforeAtMs =
        failure.nowMs + backOffMs(held.attempts, FIRST_WAIT_MS, LONGEST_WAIT_MS, WAIT_GROWTH);
      release(lease, { countAttempt: true, notBeforeAtMs, note: null, errorCode, errorMessage });
      return 'queued';
    },
  );

  return {
    /** Claims the first job in the queue that may run now, or returns null. Jobs of `framekiln run` are skipped. */
    claim(request: ClaimRequest): Claimed | null {
      failPoint('claim.before-write');
      const row = claimNext.get({
        ...request,
        onlyJobId: request.onlyJobId ?? null,
        except: JSON.stringify(request.except ?? []),
      });
      failPoint('claim.written');
      if (row === undefined) return null;
      const { token, ...job } = row;
      return { job: jobFromRow(job, paths), lease: { jobId: job.id, owner: request.owner, token } };
    },

    /** Whether `claim` would return a job now: to a worker of the daemon, or to one for this job alone. */
    hasClaimable(nowMs: number, onlyJobId: number | null = null): boolean {
      return selectClaimable.get({ nowMs, onlyJobId }) !== undefined;
    },

    /** Renews a lease; returns false if it is lost. An expired lease can be renewed until another worker claims the job. */
    renew(lease: Lease, nowMs: number, leaseMs: number): boolean {
      failPoint('renew-lease.before-write');
      const held = extend.run({ ...lease, nowMs, leaseMs }).changes === 1;
      failPoint('renew-lease.written');
      return held;
    },

    /** Gives up the lease and requeues the job. */
    release,

    /** Ends a failed attempt: requeues the job with a back-off, or fails it after the last attempt. */
    failAttempt,

    /** Fails the job permanently, because another attempt would end in the same way. */
    fail,

    /** Marks the job as done: its output is verified and published. */
    finish(lease: Lease, nowMs: number): void {
      failPoint('finish-job.before-write');
      assertHeld(lease, setDone.run({ ...lease, nowMs }).changes);
      failPoint('finish-job.written');
    },
  };
}
