import type { VideoShape } from '../domain/video-shape.ts';
import type { Job, JobPlan } from '../domain/job.ts';
import type { Recipe } from '../domain/recipe.ts';
import type { HomePaths } from './home-paths.ts';

/** The columns of `jobs`, named after the properties of Job. */
export const JOB_COLUMNS = `
  id, origin, source_path AS sourcePath, output_path AS outputPath, fingerprint, recipe, state, priority, attempts, plan, video,
  frames_total AS framesTotal, frames_done AS framesDone, stage, note, frames_per_second AS framesPerSecond,
  eta_at_ms AS etaAtMs, error_code AS errorCode, error_message AS errorMessage, not_before_at_ms AS notBeforeAtMs,
  created_at_ms AS createdAtMs, started_at_ms AS startedAtMs, published_at_ms AS publishedAtMs,
  finished_at_ms AS finishedAtMs`;

/** The order in which queued jobs are claimed. */
export const IN_ORDER = 'priority DESC, coalesce(position, id), id';

/** Assignments for a job that leaves the state `running`; what counts then is what has a checkpoint. */
export const RELEASED = `
  frames_done = (SELECT coalesce(sum(frame_count), 0) FROM batches WHERE job_id = jobs.id),
  lease_owner = NULL, lease_expires_at_ms = NULL, stage = NULL, frames_per_second = NULL, eta_at_ms = NULL`;

/** A row of `jobs`; its paths are as the database stores them (see HomePaths). */
export interface JobRow extends Omit<Job, 'recipe' | 'plan' | 'video'> {
  readonly recipe: string;
  readonly plan: string | null;
  readonly video: string | null;
}

export function jobFromRow(row: JobRow, { fromStored }: HomePaths): Job {
  return {
    ...row,
    sourcePath: fromStored(row.sourcePath),
    outputPath: fromStored(row.outputPath),
    recipe: JSON.parse(row.recipe) as Recipe,
    plan: row.plan === null ? null : (JSON.parse(row.plan) as JobPlan),
    video: row.video === null ? null : (JSON.parse(row.video) as VideoShape),
  };
}
