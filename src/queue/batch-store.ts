import type { CommittedBatch, Lease } from '../domain/job.ts';
import type { Database } from './sqlite.ts';
import { assertHeld, HELD } from './lease-guard.ts';
import { transaction } from './transaction.ts';

const COLUMNS = `
  SELECT number, first_frame AS firstFrame, frame_count AS frameCount, segment_name AS segmentName,
    segment_bytes AS segmentBytes, segment_sha256 AS segmentSha256, encoder,
    elapsed_ms AS elapsedMs, analysis_ms AS analysisMs, frames_reused AS framesReused, committed_at_ms AS committedAtMs
  FROM batches`;

export type BatchStore = ReturnType<typeof createBatchStore>;

/** The checkpoints of jobs: a row means that the segment of the batch is durable and verified. */
export function createBatchStore(db: Database) {
  const insert = db.prepare<object>(
    `INSERT INTO batches (job_id, number, first_frame, frame_count, segment_name, segment_bytes, segment_sha256, encoder,
       elapsed_ms, analysis_ms, frames_reused, committed_at_ms)
     VALUES (@jobId, @number, @firstFrame, @frameCount, @segmentName, @segmentBytes, @segmentSha256, @encoder,
       @elapsedMs, @analysisMs, @framesReused, @nowMs)`,
  );
  const addFrames = db.prepare<Lease & { frameCount: number }>(
    `UPDATE jobs SET attempts = 0, frames_done = @frameCount +
       (SELECT coalesce(sum(frame_count), 0) FROM batches WHERE job_id = @jobId) WHERE ${HELD}`,
  );
  const countFrames = db.prepare<Lease>(
    `UPDATE jobs SET frames_done =
       (SELECT coalesce(sum(frame_count), 0) FROM batches WHERE job_id = @jobId) WHERE ${HELD}`,
  );
  const selectAll = db.prepare<[number], CommittedBatch>(`${COLUMNS} WHERE job_id = ? ORDER BY number`);
  const selectLast = db.prepare<[number], { number: number }>(
    `SELECT number FROM batches WHERE job_id = ? ORDER BY number DESC LIMIT 1`,
  );
  const selectOne = db.prepare<[number, number], CommittedBatch>(
    `${COLUMNS} WHERE job_id = ? AND number = ?`,
  );
  const deleteOne = db.prepare<[number, number]>(`DELETE FROM batches WHERE job_id = ? AND number = ?`);

  const deleteAll = db.prepare<[number]>(`DELETE FROM batches WHERE job_id = ?`);

  const commitBatch = transaction(
    db,
    'commit-batch',
    (lease: Lease, batch: Omit<CommittedBatch, 'committedAtMs'>, nowMs: number) => {
      // First, so that a late worker gets LeaseLostError and not a UNIQUE violation.
      assertHeld(lease, addFrames.run({ ...lease, frameCount: batch.frameCount }).changes);
      insert.run({ ...batch, jobId: lease.jobId, nowMs });
    },
  );

  const removeAll = transaction(db, 'remove-batch', (lease: Lease) => {
    deleteAll.run(lease.jobId);
    assertHeld(lease, countFrames.run(lease).changes);
  });

  const removeBatch = transaction(db, 'remove-batch', (lease: Lease, number: number) => {
    deleteOne.run(lease.jobId, number);
    assertHeld(lease, countFrames.run(lease).changes);
  });

  return {
    /**
     * Commits one batch whose segment is on the disk, and resets the attempts. Throws LeaseLostError without writing
     * anything if the lease is lost.
     */
    commitBatch,

    /** The committed batches of a job, by number. */
    listBatches: (jobId: number): CommittedBatch[] => selectAll.all(jobId),

    getBatch: (jobId: number, number: number): CommittedBatch | null => selectOne.get(jobId, number) ?? null,

    /** The highest number of a committed batch of a job; null if there is none. */
    lastBatchNumber: (jobId: number): number | null => selectLast.get(jobId)?.number ?? null,

    /** Deletes a checkpoint whose segment is missing or damaged. Call it before the segment is removed. */
    removeBatch,

    /** Deletes all checkpoints of a job that has to start over. */
    removeAll,
  };
}
