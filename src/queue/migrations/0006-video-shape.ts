import type { Migration } from '../migrate.ts';

/** Adds the size, bit depth and frame count of a job's video, as JSON, for estimates. Jobs of older versions have none. */
export const videoShape: Migration = {
  name: '0006-video-shape',
  sql: `ALTER TABLE jobs ADD COLUMN video TEXT`,
};
