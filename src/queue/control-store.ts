import type { Database } from './sqlite.ts';
import { LET_GO } from './job-row.ts';
import { transaction } from './transaction.ts';

export type ControlStore = ReturnType<typeof createControlStore>;

/**
 * What a person does to jobs and to the queue. A job's functions give false when its state has no such edge
 * (domain/job.ts). A running job that is paused or cancelled loses its lease, so its worker writes nothing more.
 */
export function createControlStore(db: Database) {
  // A try that a person broke off is given back (R14).
  const pause = db.prepare<[number]>(
    `UPDATE jobs SET attempts = max(0, attempts - (state = 'running')), state = 'paused', not_before_at_ms = NULL, ${LET_GO}
     WHERE id = ? AND state IN ('queued', 'running')`,
  );
  const resume = db.prepare<[number]>(
    `UPDATE jobs SET state = 'queued', note = NULL WHERE id = ? AND state = 'paused'`,
  );
  const cancel = db.prepare<[{ id: number; nowMs: number }]>(
    `UPDATE jobs SET state = 'cancelled', finished_at_ms = @nowMs, not_before_at_ms = NULL, ${LET_GO}
     WHERE id = @id AND state IN ('queued', 'running', 'paused', 'failed')`,
  );
  const retry = db.prepare<[number]>(
    `UPDATE jobs SET state = 'queued', attempts = 0, note = NULL, error_code = NULL, error_message = NULL,
       finished_at_ms = NULL
     WHERE id = ? AND state IN ('failed', 'cancelled', 'done')`,
  );
  const forgetProgress = db.prepare<[number]>(
    `UPDATE jobs SET plan = NULL, frames_total = NULL, frames_done = 0, started_at_ms = NULL, published_at_ms = NULL
     WHERE id = ?`,
  );
  const deleteBatches = db.prepare<[number]>(`DELETE FROM batches WHERE job_id = ?`);
  const selectState = db.prepare<[number], { state: string }>(`SELECT state FROM jobs WHERE id = ?`);
  const setPriority = db.prepare<[number, number]>(`UPDATE jobs SET priority = ? WHERE id = ?`);
  const stopClaims = db.prepare(
    `INSERT OR IGNORE INTO settings (key, value) VALUES ('queue_paused', 'true')`,
  );
  const letGoOfAll = db.prepare<[], { id: number }>(
    `UPDATE jobs SET attempts = max(0, attempts - 1), state = 'queued', not_before_at_ms = NULL, ${LET_GO}
     WHERE state = 'running' AND origin <> 'run' RETURNING id`,
  );
  const allowClaims = db.prepare(`DELETE FROM settings WHERE key = 'queue_paused'`);
  const selectStopped = db.prepare(`SELECT 1 FROM settings WHERE key = 'queue_paused'`);
  const beginRest = db.prepare<[string]>(`INSERT OR REPLACE INTO settings (key, value) VALUES ('rest', ?)`);
  const endRest = db.prepare(`DELETE FROM settings WHERE key = 'rest'`);
  const selectRest = db.prepare<[], { value: string }>(`SELECT value FROM settings WHERE key = 'rest'`);

  function startOver(id: number): void {
    deleteBatches.run(id);
    forgetProgress.run(id);
  }

  const cancelJob = transaction(db, 'cancel-job', (id: number, nowMs: number): boolean => {
    if (cancel.run({ id, nowMs }).changes === 0) return false;
    startOver(id);
    return true;
  });

  const retryJob = transaction(db, 'retry-job', (id: number): boolean => {
    const keepsCheckpoints = selectState.get(id)?.state === 'failed';
    if (retry.run(id).changes === 0) return false;
    if (!keepsCheckpoints) startOver(id);
    return true;
  });

  const pauseQueue = transaction(db, 'pause-queue', (): number[] => {
    stopClaims.run();
    return letGoOfAll.all().map(({ id }) => id);
  });

  return {
    pauseJob: (id: number): boolean => pause.run(id).changes === 1,

    resumeJob: (id: number): boolean => resume.run(id).changes === 1,

    /** Deletes the job's checkpoints, too; the caller removes its folder afterwards. */
    cancelJob,

    /** A failed job goes on after its last checkpoint; a done or cancelled one begins again. */
    retryJob,

    /** Higher goes first. False when there is no such job. */
    prioritise: (id: number, priority: number): boolean => setPriority.run(priority, id).changes === 1,

    /**
     * No job is claimed from now on. Those that run lose their leases, and wait as queued ones; what a `framekiln run` does is its
     * own.
     *
     * @returns the ids of the jobs that ran
     */
    pauseQueue,

    resumeQueue: (): void => void allowClaims.run(),

    isQueuePaused: (): boolean => selectStopped.get() !== undefined,

    /** Why the daemon lets nothing be worked on, for `status`; null: it does not rest. */
    setRest: (reason: string | null): void => {
      if (reason === null) endRest.run();
      else beginRest.run(reason);
    },

    restReason: (): string | null => selectRest.get()?.value ?? null,
  };
}
