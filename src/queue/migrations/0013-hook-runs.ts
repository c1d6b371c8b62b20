import type { Migration } from '../migrate.ts';

/**
 * `hook_runs` has a row for each hook that has not run yet. The trigger adds them in the statement that ends a job, so that no
 * crash separates the two. A job of `framekiln run` has no hooks.
 */
export const hookRuns: Migration = {
  name: '0013-hook-runs',
  sql: `
    CREATE TABLE hook_runs (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      channel TEXT NOT NULL,
      job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
      state TEXT NOT NULL,
      source_path TEXT NOT NULL,
      output_path TEXT NOT NULL,
      error_code TEXT,
      error_message TEXT,
      at_ms INTEGER NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0,
      not_before_at_ms INTEGER
    ) STRICT;

    CREATE TRIGGER hook_runs_of_ended_jobs AFTER UPDATE OF state ON jobs
    WHEN OLD.state = 'running' AND NEW.state IN ('done', 'failed') AND NEW.origin NOT IN ('run', 'handed-over')
    BEGIN
      INSERT INTO hook_runs (channel, job_id, state, source_path, output_path, error_code, error_message, at_ms)
        SELECT value, NEW.id, NEW.state, NEW.source_path, NEW.output_path, NEW.error_code, NEW.error_message,
          NEW.finished_at_ms
        FROM json_each('["program", "webhook"]');
    END;
  `,
};
