import type { Database } from './sqlite.ts';
import { RELEASED } from './job-row.ts';
import { transaction } from './transaction.ts';

export type ControlStore = ReturnType<typeof createControlStore>;

/**
 * Changes that users make to jobs and to the queue. The functions for a job return false if the state of the job does not
 * allow the change (see domain/job.ts). A running job that is paused or cancelled loses its lease, so its worker can write nothing more.
 */
export function createControlStore(db: Database) {
  // An attempt that a user interrupted does not count.
  const pause = db.prepare<[{ id: number; note: string | null }]>(
    `UPDATE jobs SET attempts = max(0, attempts - (state = 'running')), state = 'paused', not_before_at_ms = NULL,
       note = coalesce(@note, note), ${RELEASED}
     WHERE id = @id AND state IN ('queued', 'running')`,
  );
  const resume = db.prepare<[number]>(
    `UPDATE jobs SET state = 'queued', note = NULL WHERE id = ? AND state = 'paused'`,
  );
  const cancel = db.prepare<[{ id: number; nowMs: number }]>(
    `UPDATE jobs SET state = 'cancelled', finished_at_ms = @nowMs, not_before_at_ms = NULL, ${RELEASED}
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
  const deleteDecisions = db.prepare<[number]>(`DELETE FROM decisions WHERE job_id = ?`);
  const deleteAnalysis = db.prepare<[number]>(`DELETE FROM analysed_batches WHERE job_id = ?`);
  const selectState = db.prepare<[number], { state: string }>(`SELECT state FROM jobs WHERE id = ?`);
  const setPriority = db.prepare<[number, number]>(`UPDATE jobs SET priority = ? WHERE id = ?`);
  const handOver = db.prepare<[number]>(
    `UPDATE jobs SET origin = 'handed-over', priority = (SELECT max(0, max(priority) + 1) FROM jobs WHERE state = 'queued')
     WHERE id = ? AND origin = 'run'`,
  );
  const takeBack = db.prepare<[number]>(
    `UPDATE jobs SET origin = 'run' WHERE id = ? AND origin = 'handed-over'`,
  );
  const insertPaused = db.prepare(
    `INSERT OR IGNORE INTO settings (key, value) VALUES ('queue_paused', 'true')`,
  );
  const requeueAll = db.prepare<[], { id: number }>(
    `UPDATE jobs SET attempts = max(0, attempts - 1), state = 'queued', not_before_at_ms = NULL, ${RELEASED}
     WHERE state = 'running' AND origin <> 'run' RETURNING id`,
  );
  const deletePaused = db.prepare(`DELETE FROM settings WHERE key = 'queue_paused'`);
  const selectPaused = db.prepare(`SELECT 1 FROM settings WHERE key = 'queue_paused'`);
  const insertThrottled = db.prepare<[string]>(
    `INSERT OR REPLACE INTO settings (key, value) VALUES ('rest', ?)`,
  );
  const deleteThrottled = db.prepare(`DELETE FROM settings WHERE key = 'rest'`);
  const selectThrottled = db.prepare<[], { value: string }>(`SELECT value FROM settings WHERE key = 'rest'`);

  function deleteProgress(id: number): void {
    deleteBatches.run(id);
    deleteAnalysis.run(id);
    deleteDecisions.run(id);
    forgetProgress.run(id);
  }

  const cancelJob = transaction(db, 'cancel-job', (id: number, nowMs: number): boolean => {
    if (cancel.run({ id, nowMs }).changes === 0) return false;
    deleteProgress(id);
    return true;
  });

  const retryJob = transaction(db, 'retry-job', (id: number): boolean => {
    const keepsCheckpoints = selectState.get(id)?.state === 'failed';
    if (retry.run(id).changes === 0) return false;
    if (!keepsCheckpoints) deleteProgress(id);
    return true;
  });

  const pauseQueue = transaction(db, 'pause-queue', (): number[] => {
    insertPaused.run();
    return requeueAll.all().map(({ id }) => id);
  });

  return {
    /** Pauses a job. @param note why it is paused, if not by the user */
    pauseJob: (id: number, note: string | null = null): boolean => pause.run({ id, note }).changes === 1,

    resumeJob: (id: number): boolean => resume.run(id).changes === 1,

    /** Cancels a job and deletes its checkpoints; the caller then removes its folder. */
    cancelJob,

    /** Queues a job again: a failed one resumes from its last checkpoint, a done or cancelled one starts over. */
    retryJob,

    /** Sets the priority of a job; higher ones run first. Returns false if the job does not exist. */
    prioritise: (id: number, priority: number): boolean => setPriority.run(priority, id).changes === 1,

    /** Lets the daemon process a job of `framekiln run`, before all queued jobs. */
    handOver: (id: number): void => void handOver.run(id),

    /** Undoes `handOver`; a worker of the daemon that runs the job keeps it. */
    takeBack: (id: number): void => void takeBack.run(id),

    /**
     * Stops claims and requeues the running jobs. Jobs of `framekiln run` are not affected.
     *
     * @returns the IDs of the jobs that were running
     */
    pauseQueue,

    resumeQueue: (): void => void deletePaused.run(),

    isQueuePaused: (): boolean => selectPaused.get() !== undefined,

    /** Records for `status` why work is paused, such as `paused for quiet hours until 07:30`; null if it is not. */
    setThrottled: (reason: string | null): void => {
      if (reason === null) deleteThrottled.run();
      else insertThrottled.run(reason);
    },

    throttledReason: (): string | null => selectThrottled.get()?.value ?? null,
  };
}
