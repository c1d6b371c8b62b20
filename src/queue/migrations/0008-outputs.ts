import type { Migration } from '../migrate.ts';

/**
 * `written_outputs` lists the finished videos that this home has written, by size and hash, so that no other file is taken
 * for one of them. Paths inside the home become relative to it.
 */
export const outputs: Migration = {
  name: '0008-outputs',
  sql: `
    CREATE TABLE written_outputs (
      sha256 TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      job_id INTEGER NOT NULL,
      fingerprint TEXT NOT NULL,
      PRIMARY KEY (sha256, job_id)
    ) STRICT, WITHOUT ROWID;

    CREATE TEMP TABLE home AS
      SELECT substr(file, 1, length(file) - length('.framekiln/framekiln.db')) AS root
      FROM pragma_database_list WHERE name = 'main' AND file LIKE '%/.framekiln/framekiln.db';
    UPDATE jobs SET source_path = substr(source_path, length(root) + 1)
      FROM home WHERE substr(source_path, 1, length(root)) = root;
    UPDATE jobs SET output_path = substr(output_path, length(root) + 1)
      FROM home WHERE substr(output_path, 1, length(root)) = root;
    UPDATE jobs SET scope = substr(scope, length(root) + 1)
      FROM home WHERE substr(scope, 1, length(root)) = root;
    UPDATE seen_files SET path = substr(path, length(root) + 1)
      FROM home WHERE substr(path, 1, length(root)) = root;
    DROP TABLE home;
  `,
};
