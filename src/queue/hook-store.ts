import type { EndedJob } from '../domain/ended-job.ts';
import type { HomePaths } from './home-paths.ts';
import type { Database } from './sqlite.ts';

/** The kinds of hooks. */
export type HookChannel = 'program' | 'webhook';

/** A job that has ended and whose hook of one kind has not run yet. */
export interface HookRun extends EndedJob {
  /** Never used again, also not by another row. */
  readonly id: number;
  /** Attempts so far. */
  readonly attempts: number;
}

/** No run waits longer for its next attempt. */
export const LONGEST_HOOK_WAIT_MS = 60 * 60_000;

export type HookStore = ReturnType<typeof createHookStore>;

/** The hooks that have not run yet, one row each; a trigger adds them when a job ends (migration 0013). */
export function createHookStore(db: Database, { fromStored }: HomePaths) {
  // An instant that is further away was written before the clock was set back.
  const selectDue = db.prepare<object, HookRun>(
    `SELECT id, job_id AS jobId, state, source_path AS sourcePath, output_path AS outputPath, error_code AS errorCode,
       error_message AS errorMessage, at_ms AS atMs, attempts
     FROM hook_runs WHERE channel = @channel AND (not_before_at_ms IS NULL
       OR not_before_at_ms NOT BETWEEN @nowMs + 1 AND @nowMs + ${LONGEST_HOOK_WAIT_MS})
     ORDER BY id LIMIT 1`,
  );
  const setAttempt = db.prepare<object>(
    `UPDATE hook_runs SET attempts = attempts + 1, not_before_at_ms = @notBeforeAtMs WHERE id = @id`,
  );
  const setAttemptBack = db.prepare<[number]>(`UPDATE hook_runs SET attempts = attempts - 1 WHERE id = ?`);
  const deleteAll = db.prepare<[HookChannel, string]>(
    `DELETE FROM hook_runs WHERE channel = ? AND state = ?`,
  );
  const deleteOne = db.prepare<[number]>(`DELETE FROM hook_runs WHERE id = ?`);

  return {
    /** The first run that may be tried now; null if there is none. */
    nextDue(channel: HookChannel, nowMs: number): HookRun | null {
      const row = selectDue.get({ channel, nowMs });
      if (row === undefined) return null;
      return { ...row, sourcePath: fromStored(row.sourcePath), outputPath: fromStored(row.outputPath) };
    },

    /** Counts an attempt. @param notBeforeAtMs when the next one may follow; null: at once */
    countAttempt: (id: number, notBeforeAtMs: number | null): void =>
      void setAttempt.run({ id, notBeforeAtMs }),

    /** Takes back an attempt that was counted before it was stopped. */
    takeBackAttempt: (id: number): void => void setAttemptBack.run(id),

    /** Removes all runs of a channel for jobs that ended in this state. */
    removeAll: (channel: HookChannel, state: HookRun['state']): void => void deleteAll.run(channel, state),

    /** Removes a run that has succeeded, or that is given up. */
    remove: (id: number): void => void deleteOne.run(id),
  };
}
