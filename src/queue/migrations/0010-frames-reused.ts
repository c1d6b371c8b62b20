import type { Migration } from '../migrate.ts';

/** `frames_reused` says how much of a batch needed no inference, for the report. */
export const framesReused: Migration = {
  name: '0010-frames-reused',
  sql: `ALTER TABLE batches ADD COLUMN frames_reused REAL;`,
};
