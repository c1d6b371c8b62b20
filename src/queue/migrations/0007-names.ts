import type { Migration } from '../migrate.ts';

/**
 * Renames stored values: networks became models, refused files became rejected ones, and tries became attempts. Keys of stored JSON keep
 * their order, because `jobs.recipe` is compared as text. Remembered tile sizes are dropped, because they saved only three retries a day.
 */
export const names: Migration = {
  name: '0007-names',
  sql: `
    UPDATE jobs SET
      recipe = replace(recipe, '"network":', '"model":'),
      plan = replace(plan, '"networkSha256":', '"modelSha256":'),
      error_code = CASE
        WHEN error_code LIKE 'NETWORK\\_%' ESCAPE '\\' THEN 'MODEL' || substr(error_code, 8)
        WHEN error_code = 'CLOCK_JUMPS' THEN 'TIMESTAMP_DISCONTINUITY'
        ELSE error_code
      END;
    UPDATE commands SET argument = replace(argument, '"network":', '"model":') WHERE kind = 'add';
    UPDATE events SET kind = CASE kind WHEN 'refused' THEN 'rejected' WHEN 'try-failed' THEN 'attempt-failed' ELSE kind END;
    ALTER TABLE seen_files RENAME COLUMN look TO signature;
    UPDATE seen_files SET
      state = CASE state WHEN 'refused' THEN 'rejected' ELSE state END,
      code = CASE code WHEN 'CLOCK_JUMPS' THEN 'TIMESTAMP_DISCONTINUITY' ELSE code END;
    DROP TABLE tile_sizes;
  `,
};
