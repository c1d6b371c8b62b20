import type { Migration } from '../migrate.ts';

/** A refused file keeps the stable code of its refusal beside the sentence, for `status`. */
export const refusalCode: Migration = {
  name: '0002-refusal-code',
  sql: `ALTER TABLE seen_files ADD COLUMN code TEXT`,
};
