import type { Migration } from '../migrate.ts';

/** `position` orders jobs of equal priority; a job that was never moved has its ID as its position. */
export const position: Migration = {
  name: '0012-position',
  sql: `
    ALTER TABLE jobs ADD COLUMN position REAL;
    DROP INDEX jobs_in_order;
    CREATE INDEX jobs_in_order ON jobs (state, priority DESC, coalesce(position, id), id);
  `,
};
