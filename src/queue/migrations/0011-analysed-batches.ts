import type { Migration } from '../migrate.ts';

/**
 * The checkpoints of the first pass over a video: what was found in a batch, the state after it, and later what was
 * decided for it. `decisions` has all decisions for the report. `batches.pipeline_state` belongs to versions that worked in one pass, and is no longer used.
 */
export const analysedBatches: Migration = {
  name: '0011-analysed-batches',
  sql: `
    CREATE TABLE analysed_batches (
      job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
      number INTEGER NOT NULL,
      findings BLOB NOT NULL,
      state BLOB NOT NULL,
      direction BLOB,
      elapsed_ms REAL NOT NULL,
      PRIMARY KEY (job_id, number)
    ) STRICT;

    CREATE TABLE decisions (
      job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
      json TEXT NOT NULL
    ) STRICT;
  `,
};
