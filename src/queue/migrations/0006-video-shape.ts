import type { Migration } from '../migrate.ts';

/** What a job's cost depends on: size, depth and frames of its video, as JSON. Jobs of older versions have none. */
export const videoShape: Migration = {
  name: '0006-video-shape',
  sql: `ALTER TABLE jobs ADD COLUMN video TEXT`,
};
