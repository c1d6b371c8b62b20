import type { BatchRange } from '../domain/frame-batch.ts';
import { codeOf } from '../domain/errors.ts';
import { QUEUE_SCHEMA, ROLLBACK, SCHEMA, type Connection } from './connect.ts';
import {
  queueOf,
  type BatchTask,
  type FinishedBatch,
  type VideoSetup,
  type WorkerState,
} from './protocol.ts';

/** A worker that stops sending heartbeats for this long loses its batch; pg-boss allows no less. */
const HEARTBEAT_SECONDS = 10;
/** Longest time for one batch, however slow the machine. */
const LONGEST_BATCH_SECONDS = 12 * 3600;
/** A batch that has waited for longer is forgotten by pg-boss: a year. */
const LONGEST_VIDEO_SECONDS = 365 * 24 * 3600;
/** How often a batch may fail or lose its worker before its job fails. */
const RETRIES = 9;
/** A worker seen less long ago than this is connected. */
const CONNECTED_SECONDS = 15;
const IS_CONNECTED = `seen_at > now() - interval '${CONNECTED_SECONDS} seconds'`;

/** A video with batches that wait for a worker. */
export interface WaitingVideo {
  readonly setup: VideoSetup;
  /** Whether fewer batches wait than there are workers. */
  readonly isScarce: boolean;
}

/** A batch that failed on every attempt, with the last error. */
export interface FailedBatch {
  readonly number: number;
  readonly code: string;
  readonly message: string;
}

export type ClusterDatabase = ReturnType<typeof createClusterDatabase>;

/** The statements of a cluster. Times are those of the database: clocks of machines may differ. */
export function createClusterDatabase(connection: Connection) {
  const { pool, boss } = connection;
  const isDone = async (video: string, { number, segmentKey }: FinishedBatch): Promise<boolean> => {
    const { rowCount } = await pool.query(
      `SELECT 1 FROM ${SCHEMA}.batches WHERE video = $1 AND number = $2 AND batch->>'segmentKey' = $3`,
      [video, number, segmentKey],
    );
    return rowCount === 1;
  };

  return {
    async clusterId(): Promise<string> {
      const { rows } = await pool.query<{ id: string }>(`SELECT id FROM ${SCHEMA}.cluster`);
      return rows[0]?.id ?? '';
    },

    /** Adds a video with an empty queue, or renews its setup and forgets batches that have failed. */
    async openVideo(setup: VideoSetup): Promise<void> {
      const { key, homeId, jobId } = setup;
      await boss.createQueue(queueOf(key), {
        // One task a batch, queued or taken: a coordinator that starts again adds none twice.
        policy: 'exclusive',
        heartbeatSeconds: HEARTBEAT_SECONDS,
        expireInSeconds: LONGEST_BATCH_SECONDS,
        retryLimit: RETRIES,
        retentionSeconds: LONGEST_VIDEO_SECONDS,
      });
      await pool.query(
        `INSERT INTO ${SCHEMA}.videos (key, home_id, job_id, setup) VALUES ($1, $2, $3, $4)
         ON CONFLICT (key) DO UPDATE SET setup = excluded.setup`,
        [key, homeId, jobId, setup],
      );
      await pool.query(`DELETE FROM ${QUEUE_SCHEMA}.job WHERE name = $1 AND state = 'failed'`, [
        queueOf(key),
      ]);
    },

    /** The videos of a home, with the jobs they belong to. */
    async videosOf(homeId: string): Promise<{ key: string; jobId: number }[]> {
      const { rows } = await pool.query<{ key: string; jobId: number }>(
        `SELECT key, job_id AS "jobId" FROM ${SCHEMA}.videos WHERE home_id = $1`,
        [homeId],
      );
      return rows;
    },

    async addTasks(video: string, ranges: readonly BatchRange[]): Promise<void> {
      await boss.insert(
        queueOf(video),
        // In their order, because a decoder goes on to the next batch without a seek.
        ranges.map((range) => ({ data: range, singletonKey: String(range.number), priority: -range.number })),
      );
    },

    /** Batches among these numbers that are neither finished nor in the queue, nor failed. */
    async batchesWithoutTask(video: string, numbers: readonly number[]): Promise<number[]> {
      const { rows } = await pool.query<{ number: number }>(
        `SELECT number FROM unnest($3::int[]) AS number
         WHERE number NOT IN (SELECT number FROM ${SCHEMA}.batches WHERE video = $1)
           AND number NOT IN (SELECT (data->>'number')::int FROM ${QUEUE_SCHEMA}.job
             WHERE name = $2 AND (state <= 'active' OR state = 'failed'))
         ORDER BY number`,
        [video, queueOf(video), numbers],
      );
      return rows.map(({ number }) => number);
    },

    /** Takes the batches back that no worker has taken. */
    async removeWaitingTasks(video: string): Promise<void> {
      await boss.deleteQueuedJobs(queueOf(video));
    },

    /** Videos with batches that wait for a worker, oldest first. */
    async waitingVideos(): Promise<WaitingVideo[]> {
      const { rows } = await pool.query<WaitingVideo>(
        `WITH connected AS (SELECT count(*) AS workers FROM ${SCHEMA}.workers WHERE ${IS_CONNECTED})
         SELECT setup, waiting < workers AS "isScarce" FROM connected, ${SCHEMA}.videos, LATERAL (
           SELECT count(*) AS waiting FROM (SELECT FROM ${QUEUE_SCHEMA}.job
             WHERE name = 'video-' || key AND state < 'active' LIMIT greatest(workers, 1)) AS waiting_task) AS counted
         WHERE waiting > 0 ORDER BY created_at, key`,
      );
      return rows;
    },

    /** Takes the next batch of a video; null if none waits. */
    async takeTask(video: string): Promise<BatchTask | null> {
      try {
        const [task] = await boss.fetch<BatchRange>(queueOf(video), { includeMetadata: true });
        return task === undefined ? null : { id: task.id, retryCount: task.retryCount, range: task.data };
      } catch (error) {
        if (isGone(error)) return null;
        throw error;
      }
    },

    /** Says that a worker is still at a batch. @returns false if the batch was given to another worker */
    async touch(video: string, task: BatchTask): Promise<boolean> {
      try {
        return isAffected(await boss.touch(queueOf(video), attemptOf(task)));
      } catch (error) {
        if (isGone(error)) return false;
        throw error;
      }
    },

    /**
     * Completes a task and writes the row of its batch, both or none.
     *
     * @returns false, without having written anything, if the task was given to another worker meanwhile
     */
    async complete(video: string, task: BatchTask, batch: FinishedBatch): Promise<boolean> {
      try {
        const result = await connection.inTransaction(async (db) => {
          if (!isAffected(await boss.complete(queueOf(video), attemptOf(task), null, { db })))
            return ROLLBACK;
          await db.executeSql(`INSERT INTO ${SCHEMA}.batches (video, number, batch) VALUES ($1, $2, $3)`, [
            video,
            batch.number,
            batch,
          ]);
          return true;
        });
        // A connection that broke during the commit leaves open whether it was made.
        return result === true || (await isDone(video, batch));
      } catch (error) {
        if (isGone(error)) return false;
        throw error;
      }
    },

    /** Gives a task back, to be tried again by any worker. */
    async fail(video: string, task: BatchTask, error: { code: string; message: string }): Promise<void> {
      try {
        await boss.fail(queueOf(video), attemptOf(task), error);
      } catch (failure) {
        if (!isGone(failure)) throw failure;
      }
    },

    /** Finished batches of a video among these numbers, in order. */
    async finishedBatches(video: string, numbers: readonly number[]): Promise<FinishedBatch[]> {
      const { rows } = await pool.query<{ batch: FinishedBatch }>(
        `SELECT batch FROM ${SCHEMA}.batches WHERE video = $1 AND number = ANY($2::int[]) ORDER BY number`,
        [video, numbers],
      );
      return rows.map(({ batch }) => batch);
    },

    /** Forgets a batch whose segment is missing or damaged. */
    async removeBatch(video: string, number: number): Promise<void> {
      await pool.query(`DELETE FROM ${SCHEMA}.batches WHERE video = $1 AND number = $2`, [video, number]);
    },

    async failedBatch(video: string): Promise<FailedBatch | null> {
      const { rows } = await pool.query<FailedBatch>(
        `SELECT (data->>'number')::int AS number, coalesce(output->>'code', 'WORKER_LOST') AS code,
           coalesce(output->>'message', output->'value'->>'message', 'no reason is known') AS message
         FROM ${QUEUE_SCHEMA}.job WHERE name = $1 AND state = 'failed' LIMIT 1`,
        [queueOf(video)],
      );
      return rows[0] ?? null;
    },

    /** Removes the queue of a video: nothing of it is handed out or completed any more. */
    async removeQueue(video: string): Promise<void> {
      await boss.deleteQueue(queueOf(video));
    },

    /** Removes the rows of a video. */
    async removeVideo(video: string): Promise<void> {
      await pool.query(`DELETE FROM ${SCHEMA}.videos WHERE key = $1`, [video]);
    },

    async reportWorker(state: WorkerState): Promise<void> {
      await pool.query(
        `INSERT INTO ${SCHEMA}.workers (name, state) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET state = excluded.state, seen_at = now()`,
        [state.name, state],
      );
    },

    async removeWorker(name: string): Promise<void> {
      await pool.query(
        `DELETE FROM ${SCHEMA}.workers WHERE name = $1 OR seen_at < now() - interval '7 days'`,
        [name],
      );
    },

    /** Workers that are connected. */
    async workers(): Promise<WorkerState[]> {
      const { rows } = await pool.query<{ state: WorkerState }>(
        `SELECT state FROM ${SCHEMA}.workers WHERE ${IS_CONNECTED} ORDER BY name`,
      );
      return rows.map(({ state }) => state);
    },

    /** Videos that are open, with their counts of finished and waiting batches. */
    async videos(): Promise<
      { name: string; key: string; finished: number; waiting: number; active: number }[]
    > {
      const { rows } = await pool.query<{
        name: string;
        key: string;
        finished: number;
        waiting: number;
        active: number;
      }>(
        `SELECT v.setup->>'name' AS name, v.key,
           (SELECT count(*)::int FROM ${SCHEMA}.batches WHERE video = v.key) AS finished,
           (SELECT count(*)::int FROM ${QUEUE_SCHEMA}.job WHERE name = 'video-' || v.key AND state < 'active') AS waiting,
           (SELECT count(*)::int FROM ${QUEUE_SCHEMA}.job WHERE name = 'video-' || v.key AND state = 'active') AS active
         FROM ${SCHEMA}.videos v ORDER BY v.created_at`,
      );
      return rows;
    },
  };
}

function attemptOf({ id, retryCount }: BatchTask): { id: string; retryCount: number } {
  return { id, retryCount };
}

function isAffected(response: object): boolean {
  return 'affected' in response && response.affected === 1;
}

/** The video was removed: its queue is missing, or the video that a row refers to. */
function isGone(error: unknown): boolean {
  return codeOf(error) === 'PGBOSS_QUEUE_NOT_FOUND' || codeOf(error) === '23503';
}
