import type { Migration } from '../migrate.ts';

/** When a job's finished file had its name: what is left then is the source, and the job's folder. */
export const published: Migration = {
  name: '0003-published',
  sql: `ALTER TABLE jobs ADD COLUMN published_at_ms INTEGER`,
};
