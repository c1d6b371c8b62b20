import type { Lease } from '../domain/job.ts';
import type { Database } from './sqlite.ts';
import type { FailedAttempt, LeaseStore } from './lease-store.ts';
import { transaction } from './transaction.ts';

export interface Sweep {
  /** `isOwnerAlive` of lib/process-identity, or a test's own. */
  readonly isOwnerAlive: (owner: string) => boolean;
  readonly nowMs: number;
  /** Owners that are left alone even when their lease has run out: their end is judged elsewhere. */
  readonly spare?: (owner: string) => boolean;
  /**
   * How the tries that ended so are judged: a worker that died under a living daemon failed its try; after the death
   * of the daemon, or of the machine, no job is to blame (null).
   */
  readonly failure: Omit<FailedAttempt, 'nowMs'> | null;
  /** Whose tries are judged so; those of others are given back. Left out: everybody's. */
  readonly isToBlame?: (owner: string) => boolean;
}

/** Makes the function that takes back the jobs whose worker is dead or has let its lease run out (R11). */
export function createLeaseSweep(
  db: Database,
  { failAttempt, release }: Pick<LeaseStore, 'failAttempt' | 'release'>,
) {
  const selectRunning = db.prepare<[], Lease & { expiresAtMs: number }>(
    `SELECT id AS jobId, lease_owner AS owner, lease_token AS token, lease_expires_at_ms AS expiresAtMs
     FROM jobs WHERE state = 'running'`,
  );

  /** Gives the ids of the jobs that were taken back. */
  return transaction(
    db,
    'sweep-leases',
    ({ isOwnerAlive, nowMs, failure, spare, isToBlame }: Sweep): number[] => {
      const abandoned = selectRunning
        .all()
        .filter(
          (run) => spare?.(run.owner) !== true && (run.expiresAtMs <= nowMs || !isOwnerAlive(run.owner)),
        );
      for (const { jobId, owner, token } of abandoned) {
        const lease = { jobId, owner, token };
        if (failure !== null && isToBlame?.(owner) !== false) failAttempt(lease, { ...failure, nowMs });
        else {
          const unjudged = { notBeforeAtMs: null, note: null, errorCode: null, errorMessage: null };
          release(lease, { countAttempt: false, ...unjudged });
        }
      }
      return abandoned.map((run) => run.jobId);
    },
  );
}
