import type { Migration } from '../migrate.ts';

/** `taken_signature` tells whether a file is still the one that was taken when its sidecar is removed. */
export const takenSignature: Migration = {
  name: '0009-taken-signature',
  sql: `
    ALTER TABLE seen_files ADD COLUMN taken_signature TEXT;
    UPDATE seen_files SET taken_signature = substr(signature, 1, instr(signature || ' ', ' ') - 1)
      WHERE state = 'taken';
    CREATE INDEX jobs_by_source ON jobs (source_path, id);
  `,
};
