import type { Migration } from '../migrate.ts';

/** Adds the time at which the finished video got its name; only the source and the job folder are left to settle then. */
export const published: Migration = {
  name: '0003-published',
  sql: `ALTER TABLE jobs ADD COLUMN published_at_ms INTEGER`,
};
