import type { Lease } from '../domain/job.ts';
import type { Database } from './sqlite.ts';
import type { EventStore } from './event-store.ts';
import type { FailedAttempt, LeaseStore } from './lease-store.ts';
import { transaction } from './transaction.ts';

export interface Sweep {
  /** Whether the process with an owner string exists: `isOwnerAlive` of lib/process/process-identity, except in tests. */
  readonly isOwnerAlive: (owner: string) => boolean;
  readonly nowMs: number;
  /** Owners whose leases are kept even if expired, because the caller handles their end itself. */
  readonly spare?: (owner: string) => boolean;
  /**
   * The failure that is recorded for the attempt. Null if no job is to blame, as after a crash of the daemon or the
   * machine; the attempt then does not count.
   */
  readonly failure: Omit<FailedAttempt, 'nowMs'> | null;
  /** The owners whose attempts failed; attempts of others do not count. Default: all owners. */
  readonly isToBlame?: (owner: string) => boolean;
}

/** Creates the function that requeues jobs whose worker is dead or whose lease has expired. */
export function createLeaseSweep(
  db: Database,
  { failAttempt, release }: Pick<LeaseStore, 'failAttempt' | 'release'>,
  { addEvent }: Pick<EventStore, 'addEvent'>,
) {
  const selectRunning = db.prepare<[], Lease & { expiresAtMs: number }>(
    `SELECT id AS jobId, lease_owner AS owner, lease_token AS token, lease_expires_at_ms AS expiresAtMs
     FROM jobs WHERE state = 'running'`,
  );

  const abandonedBy = ({ isOwnerAlive, nowMs, spare }: Sweep): Lease[] =>
    selectRunning
      .all()
      .filter((run) => spare?.(run.owner) !== true && (run.expiresAtMs <= nowMs || !isOwnerAlive(run.owner)));

  const requeue = transaction(db, 'sweep-leases', (sweep: Sweep): number[] => {
    const { nowMs, failure, isToBlame } = sweep;
    const abandoned = abandonedBy(sweep);
    for (const { jobId, owner, token } of abandoned) {
      const lease = { jobId, owner, token };
      if (failure !== null && isToBlame?.(owner) !== false) {
        addEvent(jobId, { atMs: nowMs, kind: 'attempt-failed', message: failure.message });
        failAttempt(lease, { ...failure, nowMs });
      } else {
        const unjudged = { notBeforeAtMs: null, note: null, errorCode: null, errorMessage: null };
        release(lease, { countAttempt: false, ...unjudged });
      }
    }
    return abandoned.map((run) => run.jobId);
  });

  /**
   * Returns the IDs of the requeued jobs. The write lock is taken only if there are any: the daemon sweeps four times a second,
   * and would sleep each time a worker commits (97 ms were measured).
   */
  return (sweep: Sweep): number[] => (abandonedBy(sweep).length === 0 ? [] : requeue(sweep));
}
