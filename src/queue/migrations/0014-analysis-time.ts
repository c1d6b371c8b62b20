import type { Migration } from '../migrate.ts';

/** `analysis_ms` is the time of the first pass over a batch, for the estimates of later jobs; null: there was none. */
export const analysisTime: Migration = {
  name: '0014-analysis-time',
  sql: `ALTER TABLE batches ADD COLUMN analysis_ms REAL;`,
};
