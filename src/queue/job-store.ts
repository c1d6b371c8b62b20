import { existsSync } from 'node:fs';
import { InternalError } from '../domain/errors.ts';
import type { Job, JobState } from '../domain/job.ts';
import { recipeText, type Recipe } from '../domain/recipe.ts';
import type { Database } from './sqlite.ts';
import { IN_ORDER, JOB_COLUMNS, jobFromRow, type JobRow } from './job-row.ts';
import type { HomePaths } from './home-paths.ts';
import type { NewJob } from './new-job.ts';
import { createOutputNames } from './output-names.ts';
import { transaction } from './transaction.ts';

/** A finished job whose row was lost, as its report describes it. */
export interface FinishedJob extends Pick<NewJob, 'sourcePath' | 'outputPath' | 'fingerprint' | 'recipe'> {
  readonly id: number;
  readonly framesTotal: number;
}

/** Part of a long list of jobs. */
export interface JobWindow {
  readonly states: readonly JobState[];
  /** Only jobs whose source path contains this text; empty for all. */
  readonly text: string;
  /** Only jobs of this pipeline; absent for all. */
  readonly pipeline?: Recipe['pipeline'] | undefined;
  /** `queue`: running jobs, then the others as they will be claimed. `ended`: those that ended last first. */
  readonly order: 'queue' | 'ended';
  readonly offset: number;
  readonly limit: number;
}

/** Where a job is in the queue. */
export type JobPlace = Pick<Job, 'id' | 'state' | 'priority'>;

export interface Enqueued {
  readonly job: Job;
  /** Whether the job is new; false if one with this content and recipe existed, in any state. */
  readonly created: boolean;
}

export type JobStore = ReturnType<typeof createJobStore>;

/** Creates, finds and lists jobs. */
export function createJobStore(db: Database, paths: HomePaths) {
  const { toStored, fromStored } = paths;
  const fromRow = (row: JobRow): Job => jobFromRow(row, paths);
  const findSame = db.prepare<{ fingerprint: string; recipe: string; scope: string }, JobRow>(
    `SELECT ${JOB_COLUMNS} FROM jobs WHERE fingerprint = @fingerprint AND recipe = @recipe AND scope = @scope`,
  );
  const insert = db.prepare<object, JobRow>(
    `INSERT INTO jobs (origin, scope, source_path, output_path, fingerprint, recipe, video, priority, created_at_ms)
     VALUES (@origin, @scope, @sourcePath, @outputPath, @fingerprint, @recipe, @video, @priority, @nowMs)
     RETURNING ${JOB_COLUMNS}`,
  );
  // A running job and a published output keep their output path.
  const move = db.prepare<object, JobRow>(
    `UPDATE jobs SET source_path = @sourcePath,
       output_path = CASE WHEN state IN ('running', 'done') THEN output_path ELSE @outputPath END
     WHERE id = @id RETURNING ${JOB_COLUMNS}`,
  );
  const revive = db.prepare<{ id: number }, JobRow>(
    `UPDATE jobs SET state = 'queued', attempts = 0, error_code = NULL, error_message = NULL, note = NULL,
       finished_at_ms = NULL
     WHERE id = @id AND state = 'failed' AND error_code IN ('SOURCE_MISSING', 'SOURCE_CHANGED')
     RETURNING ${JOB_COLUMNS}`,
  );
  const insertDone = db.prepare<object>(
    `INSERT OR IGNORE INTO jobs (id, origin, scope, source_path, output_path, fingerprint, recipe, state, priority,
       frames_total, frames_done, created_at_ms, finished_at_ms)
     VALUES (@id, 'watch', '', @sourcePath, @outputPath, @fingerprint, @recipe, 'done', 0,
       @framesTotal, @framesTotal, @nowMs, @nowMs)`,
  );
  const firstFreeName = createOutputNames(db, paths);
  const selectOne = db.prepare<[number], JobRow>(`SELECT ${JOB_COLUMNS} FROM jobs WHERE id = ?`);
  const selectAll = db.prepare<[], JobRow>(`SELECT ${JOB_COLUMNS} FROM jobs ORDER BY id`);
  const selectInState = db.prepare<[JobState], JobRow>(
    `SELECT ${JOB_COLUMNS} FROM jobs WHERE state = ? ORDER BY ${IN_ORDER}`,
  );
  const selectQueuedAfter = db.prepare<[number, number], JobRow>(
    `SELECT ${JOB_COLUMNS} FROM jobs WHERE id > ? AND state = 'queued' ORDER BY id LIMIT ?`,
  );
  const IN_WINDOW = `state IN (SELECT value FROM json_each(@states))
    AND (@text = '' OR instr(lower(source_path), lower(@text)) > 0)
    AND (@pipeline IS NULL OR recipe ->> 'pipeline' = @pipeline)`;
  const QUEUE_ORDER = `state = 'running' DESC, state = 'queued' DESC, ${IN_ORDER}`;
  const ENDED_ORDER = 'finished_at_ms DESC, id DESC';
  // Only IDs are sorted, because whole rows of a hundred thousand jobs would take a second.
  const selectWindow = (order: string) =>
    db.prepare<object, JobRow>(
      `SELECT ${JOB_COLUMNS} FROM jobs WHERE id IN
         (SELECT id FROM jobs WHERE ${IN_WINDOW} ORDER BY ${order} LIMIT @limit OFFSET @offset)
       ORDER BY ${order}`,
    );
  const windows = {
    queue: selectWindow(QUEUE_ORDER),
    ended: selectWindow(ENDED_ORDER),
  };
  const selectWindowStates = (order: string) =>
    db.prepare<object, JobPlace>(
      `SELECT id, state, priority FROM jobs WHERE ${IN_WINDOW} ORDER BY ${order} LIMIT @limit OFFSET @offset`,
    );
  const windowsOfStates = {
    queue: selectWindowStates(QUEUE_ORDER),
    ended: selectWindowStates(ENDED_ORDER),
  };
  const selectPlaces = db.prepare<[string], JobPlace>(
    `SELECT id, state, priority FROM jobs WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id`,
  );
  const countWindow = db.prepare<object, { jobCount: number }>(
    `SELECT count(*) AS jobCount FROM jobs WHERE ${IN_WINDOW}`,
  );
  const selectMark = db.prepare<[], { mark: string }>(
    `SELECT coalesce((SELECT max(id) FROM jobs), 0) || '.' || coalesce(
       (SELECT id FROM commands WHERE handled_at_ms IS NOT NULL ORDER BY id DESC LIMIT 1), 0) AS mark`,
  );
  const countStates = db.prepare<[], { state: JobState; jobCount: number }>(
    `SELECT state, count(*) AS jobCount FROM jobs GROUP BY state`,
  );

  // A note of a queued job says what the job waits for.
  const selectWaiting = db.prepare<[], { note: string }>(
    `SELECT note FROM jobs WHERE state = 'queued' AND not_before_at_ms IS NOT NULL AND note IS NOT NULL
     ORDER BY priority DESC, id LIMIT 1`,
  );

  /**
   * Creates a job unless one exists with this content and recipe. If the source of the existing job has been moved, the job
   * takes the new path, so a renamed file is not processed twice. If it failed because its source was missing or changed,
   * it is queued again. Any other existing job is returned unchanged.
   */
  const enqueue = transaction(db, 'enqueue', (request: NewJob): Enqueued => {
    const recipe = recipeText(request.recipe);
    const scope = request.origin === 'run' ? toStored(request.outputPath) : '';
    const sourcePath = toStored(request.sourcePath);
    const outputPathFor = (id: number | null): string => toStored(firstFreeName({ ...request, id }));
    let row = findSame.get({ fingerprint: request.fingerprint, recipe, scope });
    if (row === undefined) {
      const video = request.video === undefined ? null : JSON.stringify(request.video);
      const values = { ...request, recipe, scope, sourcePath, outputPath: outputPathFor(null), video };
      return { job: fromRow(mustReturn(insert.get(values))), created: true };
    }
    if (row.sourcePath !== sourcePath && !existsSync(fromStored(row.sourcePath))) {
      row = mustReturn(move.get({ id: row.id, sourcePath, outputPath: outputPathFor(row.id) }));
    }
    return { job: fromRow(revive.get({ id: row.id }) ?? row), created: false };
  });

  return {
    enqueue,

    /** Adds a finished job from its report; returns false if a job with its ID, or its content and recipe, exists. */
    restoreDone(job: FinishedJob, nowMs: number): boolean {
      const [sourcePath, outputPath] = [toStored(job.sourcePath), toStored(job.outputPath)];
      const values = { ...job, recipe: recipeText(job.recipe), sourcePath, outputPath, nowMs };
      return insertDone.run(values).changes === 1;
    },

    getJob(id: number): Job | null {
      const row = selectOne.get(id);
      return row === undefined ? null : fromRow(row);
    },

    /** All jobs by ID, or those in one state in the order in which they are claimed. */
    listJobs(filter: { readonly state?: JobState } = {}): Job[] {
      const rows = filter.state === undefined ? selectAll.all() : selectInState.all(filter.state);
      return rows.map(fromRow);
    },

    /** The jobs in a window, and the number of jobs that it is a part of. */
    listWindow({ states, text, pipeline, order, offset, limit }: JobWindow): { jobs: Job[]; total: number } {
      const values = { states: JSON.stringify(states), text, pipeline: pipeline ?? null };
      const rows = windows[order].all({ ...values, offset, limit });
      return { jobs: rows.map(fromRow), total: countWindow.get(values)?.jobCount ?? 0 };
    },

    /** The same without what the rows of the list show, so that ten thousand jobs can be selected at once. */
    listWindowStates: ({ states, text, pipeline, order, offset, limit }: JobWindow): JobPlace[] =>
      windowsOfStates[order].all({
        ...{ states: JSON.stringify(states), text, pipeline: pipeline ?? null },
        ...{ offset, limit },
      }),

    /** States and priorities of jobs, by ID; those that do not exist are left out. */
    findPlaces: (ids: readonly number[]): JobPlace[] => selectPlaces.all(JSON.stringify(ids)),

    /** Up to `limit` queued jobs with IDs above `id`, by ID. */
    listQueuedAfter: (id: number, limit: number): Job[] => selectQueuedAfter.all(id, limit).map(fromRow),

    /** Text that differs once a job was added or a command carried out. */
    changeMark: (): string => selectMark.get()?.mark ?? '',

    /** What a queued job waits for, such as space on a disk; null if none waits. */
    firstWaitingNote: (): string | null => selectWaiting.get()?.note ?? null,

    countByState(): Record<JobState, number> {
      const counts = { queued: 0, running: 0, paused: 0, done: 0, failed: 0, cancelled: 0 };
      for (const { state, jobCount } of countStates.all()) counts[state] = jobCount;
      return counts;
    },
  };
}

function mustReturn(row: JobRow | undefined): JobRow {
  if (row === undefined) throw new InternalError('SQLite returned no row for a RETURNING clause.');
  return row;
}
