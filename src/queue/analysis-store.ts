import type { Lease } from '../domain/job.ts';
import { assertHeld, HELD } from './lease-guard.ts';
import type { Database } from './sqlite.ts';
import { transaction } from './transaction.ts';

/** What the first pass over a video has found in a batch. */
export interface AnalysedBatch {
  readonly number: number;
  readonly findings: Uint8Array;
  /** State of the analysis after the batch. */
  readonly state: Uint8Array;
  readonly elapsedMs: number;
}

export type AnalysisStore = ReturnType<typeof createAnalysisStore>;

/** The checkpoints of the first pass over videos, and what was decided for each batch after it. */
export function createAnalysisStore(db: Database) {
  const resetAttempts = db.prepare<Lease>(`UPDATE jobs SET attempts = 0 WHERE ${HELD}`);
  const insert = db.prepare<object>(
    `INSERT INTO analysed_batches (job_id, number, findings, state, elapsed_ms)
     VALUES (@jobId, @number, @findings, @state, @elapsedMs)`,
  );
  const putDirection = db.prepare<object>(
    `INSERT INTO analysed_batches (job_id, number, findings, state, direction, elapsed_ms)
     VALUES (@jobId, @number, x'', x'', @direction, 0)
     ON CONFLICT (job_id, number) DO UPDATE SET direction = excluded.direction`,
  );
  const selectAll = db.prepare<[number], { findings: Uint8Array }>(
    `SELECT findings FROM analysed_batches WHERE job_id = ? ORDER BY number`,
  );
  const selectNumbers = db.prepare<[number], { number: number; isDirected: number }>(
    `SELECT number, direction IS NOT NULL AS isDirected FROM analysed_batches WHERE job_id = ? ORDER BY number`,
  );
  const selectState = db.prepare<[number, number], { state: Uint8Array }>(
    `SELECT state FROM analysed_batches WHERE job_id = ? AND number = ?`,
  );
  const selectDirection = db.prepare<[number, number], { direction: Uint8Array | null; elapsedMs: number }>(
    `SELECT direction, elapsed_ms AS elapsedMs FROM analysed_batches WHERE job_id = ? AND number = ?`,
  );
  const insertDecisions = db.prepare<[number, string]>(
    `INSERT OR REPLACE INTO decisions (job_id, json) VALUES (?, ?)`,
  );
  const isHeld = `EXISTS (SELECT 1 FROM jobs WHERE ${HELD})`;
  const updateDecisions = db.prepare<Lease & { json: string }>(
    `UPDATE decisions SET json = @json WHERE job_id = @jobId AND ${isHeld}`,
  );
  const selectDecisions = db.prepare<[number], { json: string }>(
    `SELECT json FROM decisions WHERE job_id = ?`,
  );
  const deleteAll = db.prepare<Lease>(`DELETE FROM analysed_batches WHERE job_id = @jobId AND ${isHeld}`);
  const deleteDecisions = db.prepare<Lease>(`DELETE FROM decisions WHERE job_id = @jobId AND ${isHeld}`);

  const commitAnalysis = transaction(db, 'commit-analysis', (lease: Lease, batch: AnalysedBatch) => {
    assertHeld(lease, resetAttempts.run(lease).changes);
    insert.run({ ...batch, jobId: lease.jobId });
  });

  const storeDirections = transaction(
    db,
    'store-directions',
    (lease: Lease, directions: readonly Uint8Array[], decisions: string) => {
      assertHeld(lease, resetAttempts.run(lease).changes);
      insertDecisions.run(lease.jobId, decisions);
      for (const [number, direction] of directions.entries())
        putDirection.run({ jobId: lease.jobId, number, direction });
    },
  );

  return {
    /** Stores the analysis of one batch, and resets the attempts. Throws LeaseLostError if the lease is lost. */
    commitAnalysis,

    /**
     * Stores what was decided for every batch, in order, and all decisions as JSON. Batches need not be analysed, if the
     * job has taken over the findings of another one. Throws LeaseLostError if the lease is lost.
     */
    storeDirections,

    /** The analysed batches of a job, by number, with whether it is decided what they show. */
    listAnalysed: (jobId: number): { number: number; isDirected: boolean }[] =>
      selectNumbers.all(jobId).map(({ number, isDirected }) => ({ number, isDirected: isDirected === 1 })),

    /** The state after a batch; null if it is not analysed. */
    getState: (jobId: number, number: number): Uint8Array | null =>
      selectState.get(jobId, number)?.state ?? null,

    /** The findings of all batches, in order. */
    listFindings: (jobId: number): Uint8Array[] => selectAll.all(jobId).map(({ findings }) => findings),

    /** What was decided for a batch, and how long its analysis took; null for a job without analysis. */
    getDirection: (
      jobId: number,
      number: number,
    ): { direction: Uint8Array | null; elapsedMs: number } | null =>
      selectDirection.get(jobId, number) ?? null,

    /** All decisions as JSON; null for a job without analysis. */
    getDecisions: (jobId: number): string | null => selectDecisions.get(jobId)?.json ?? null,

    /** Replaces the JSON of all decisions, to which the names of files were added. Throws LeaseLostError if the lease is lost. */
    setDecisions: (lease: Lease, json: string): void =>
      assertHeld(lease, updateDecisions.run({ ...lease, json }).changes),

    /** Deletes the analysis of a job, unless the lease is lost. */
    removeAnalysis(lease: Lease): void {
      deleteAll.run(lease);
      deleteDecisions.run(lease);
    },
  };
}
