import type { Migration } from '../migrate.ts';

/** Adds an index, because each new job asks whether another one writes to the same path. */
export const outputIndex: Migration = {
  name: '0004-output-index',
  sql: `CREATE INDEX jobs_by_output ON jobs (output_path)`,
};
