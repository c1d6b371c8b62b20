import type { Migration } from '../migrate.ts';

/** Adds the stable code of a rejection to a rejected file, for `status`. */
export const refusalCode: Migration = {
  name: '0002-refusal-code',
  sql: `ALTER TABLE seen_files ADD COLUMN code TEXT`,
};
