import type { PastJob } from '../domain/estimate.ts';
import type { VideoShape } from '../domain/video-shape.ts';
import { recipeText, type Recipe } from '../domain/recipe.ts';
import type { Database } from './sqlite.ts';

/** How many past jobs count: only recent ones, because the machine, its driver and this program change. */
const LATEST_JOBS = 10;

interface PastRow extends Omit<PastJob, 'video'> {
  readonly video: string;
}

export type HistoryStore = ReturnType<typeof createHistoryStore>;

/** Time and space that earlier jobs took on this machine. */
export function createHistoryStore(db: Database) {
  // Batches overlap, so a batch counts the time since the previous commit, or its own elapsed time if that is less (after
  // a pause). Time before the first batch and after the last (index, join, verify) counts up to the time of the frames,
  // because the job may have been stopped there. A first pass over the video lies before the first batch, and its time is
  // known, so it counts in full.
  const select = db.prepare<[string, number], PastRow>(
    `WITH latest AS (
       SELECT id, video, state, started_at_ms, finished_at_ms FROM jobs
       WHERE recipe = ? AND video IS NOT NULL AND frames_done > 0 ORDER BY id DESC LIMIT ?
     ), timed AS (
       SELECT job_id AS id, frame_count, segment_bytes, committed_at_ms, committed_at_ms - elapsed_ms AS begun_at_ms,
         coalesce(analysis_ms, 0) AS analysis_ms,
         min(elapsed_ms, max(0, coalesce(committed_at_ms - lag(committed_at_ms) OVER in_order, elapsed_ms)))
           + coalesce(analysis_ms, 0) AS work_ms
       FROM batches WHERE job_id IN (SELECT id FROM latest)
       WINDOW in_order AS (PARTITION BY job_id ORDER BY number)
     )
     SELECT video, sum(frame_count) AS frames, sum(segment_bytes) AS segmentBytes, sum(work_ms)
       + max(0, min(sum(work_ms), coalesce(min(begun_at_ms) - started_at_ms, 0) - coalesce(
           (SELECT sum(elapsed_ms) FROM analysed_batches WHERE job_id = latest.id), sum(analysis_ms))))
       + CASE state WHEN 'done' THEN max(0, min(sum(work_ms), finished_at_ms - max(committed_at_ms))) ELSE 0 END AS workMs
     FROM latest JOIN timed USING (id) GROUP BY latest.id`,
  );

  // Without the jobs that took over the analysis of another one.
  const selectPasses = db.prepare<[string, number], { drawingMs: number | null; analysisMs: number | null }>(
    `WITH latest AS (SELECT id FROM jobs WHERE recipe = ? AND frames_done > 0 ORDER BY id DESC LIMIT ?),
     timed AS (
       SELECT analysis_ms,
         min(elapsed_ms, max(0, coalesce(committed_at_ms - lag(committed_at_ms) OVER in_order, elapsed_ms))) AS drawing_ms
       FROM batches WHERE job_id IN (SELECT id FROM latest)
       WINDOW in_order AS (PARTITION BY job_id ORDER BY number)
     )
     SELECT sum(drawing_ms) AS drawingMs, sum(analysis_ms) AS analysisMs FROM timed WHERE analysis_ms > 0`,
  );

  return {
    /** How much longer the latest jobs with this recipe took to draw a video than to analyse it; null: not known. */
    drawingShare(recipe: Recipe): number | null {
      const { drawingMs, analysisMs } = selectPasses.get(recipeText(recipe), LATEST_JOBS) ?? {};
      return drawingMs == null || analysisMs == null || analysisMs === 0 ? null : drawingMs / analysisMs;
    },

    /** The latest jobs with this recipe that have a checkpoint, finished or not. */
    pastJobs: (recipe: Recipe): PastJob[] =>
      select
        .all(recipeText(recipe), LATEST_JOBS)
        .map((row) => ({ ...row, video: JSON.parse(row.video) as VideoShape })),
  };
}
