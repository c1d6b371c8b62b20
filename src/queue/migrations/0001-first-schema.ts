import type { Migration } from '../migrate.ts';

/**
 * `jobs.scope` is part of what makes a job the same as another: empty for the watched folder and `add`, where one
 * content with one recipe is done once; for `run` the output that was asked for, since it may be wanted in two places.
 */
export const firstSchema: Migration = {
  name: '0001-first-schema',
  sql: `
    CREATE TABLE jobs (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      origin TEXT NOT NULL,
      scope TEXT NOT NULL,
      source_path TEXT NOT NULL,
      output_path TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      recipe TEXT NOT NULL,
      state TEXT NOT NULL DEFAULT 'queued',
      priority INTEGER NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0,
      lease_owner TEXT,
      lease_token INTEGER NOT NULL DEFAULT 0,
      lease_expires_at_ms INTEGER,
      plan TEXT,
      frames_total INTEGER,
      frames_done INTEGER NOT NULL DEFAULT 0,
      stage TEXT,
      note TEXT,
      frames_per_second REAL,
      eta_at_ms INTEGER,
      error_code TEXT,
      error_message TEXT,
      not_before_at_ms INTEGER,
      created_at_ms INTEGER NOT NULL,
      started_at_ms INTEGER,
      finished_at_ms INTEGER,
      UNIQUE (fingerprint, recipe, scope),
      CHECK ((state = 'running') = (lease_owner IS NOT NULL))
    ) STRICT;
    CREATE INDEX jobs_in_order ON jobs (state, priority DESC, id);

    CREATE TABLE batches (
      job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
      number INTEGER NOT NULL,
      first_frame INTEGER NOT NULL,
      frame_count INTEGER NOT NULL,
      segment_name TEXT NOT NULL,
      segment_bytes INTEGER NOT NULL,
      segment_sha256 TEXT NOT NULL,
      encoder TEXT NOT NULL,
      pipeline_state BLOB,
      elapsed_ms REAL NOT NULL,
      committed_at_ms INTEGER NOT NULL,
      PRIMARY KEY (job_id, number)
    ) STRICT;

    CREATE TABLE commands (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL,
      job_id INTEGER,
      argument TEXT NOT NULL,
      created_at_ms INTEGER NOT NULL,
      handled_at_ms INTEGER,
      succeeded INTEGER,
      result TEXT
    ) STRICT;
    CREATE INDEX commands_unhandled ON commands (id) WHERE handled_at_ms IS NULL;

    CREATE TABLE events (
      id INTEGER PRIMARY KEY,
      job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
      at_ms INTEGER NOT NULL,
      kind TEXT NOT NULL,
      message TEXT NOT NULL
    ) STRICT;
    CREATE INDEX events_of_job ON events (job_id, id);

    CREATE TABLE seen_files (
      path TEXT PRIMARY KEY,
      look TEXT NOT NULL,
      state TEXT NOT NULL,
      since_at_ms INTEGER NOT NULL,
      message TEXT
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE settings (
      key TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
