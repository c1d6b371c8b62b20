import type { SeenFile } from '../domain/seen-file.ts';
import type { HomePaths } from './home-paths.ts';
import type { Database } from './sqlite.ts';
import { transaction } from './transaction.ts';

export type SeenFileStore = ReturnType<typeof createSeenFileStore>;

/** The state of each file in the input folder. Many rows are written in one commit, because a commit costs an fsync. */
export function createSeenFileStore(db: Database, { toStored, fromStored }: HomePaths) {
  const selectAll = db.prepare<[], SeenFile>(
    `SELECT path, signature, state, since_at_ms AS sinceAtMs, code, message,
       CASE WHEN (SELECT state FROM jobs WHERE source_path = path ORDER BY id DESC LIMIT 1) = 'failed'
         THEN NULL ELSE taken_signature END AS takenSignature
     FROM seen_files ORDER BY path`,
  );
  const selectNoted = db.prepare<[number], SeenFile>(
    `SELECT path, signature, state, since_at_ms AS sinceAtMs, code, message, taken_signature AS takenSignature
     FROM seen_files WHERE state = 'rejected' OR (state IN ('settling', 'taken') AND code IS NOT NULL) ORDER BY path LIMIT ?`,
  );
  const upsert = db.prepare<SeenFile>(
    `INSERT OR REPLACE INTO seen_files (path, signature, state, since_at_ms, code, message, taken_signature)
     VALUES (@path, @signature, @state, @sinceAtMs, @code, @message, @takenSignature)`,
  );
  const removeDuplicates = db.prepare(
    `DELETE FROM seen_files WHERE state = 'taken' AND code IS NULL AND path NOT IN (SELECT source_path FROM jobs)`,
  );
  const remove = db.prepare<[string]>(`DELETE FROM seen_files WHERE path = ?`);

  const putAll = transaction(db, 'put-seen-files', (files: readonly SeenFile[]) => {
    for (const file of files) upsert.run({ ...file, path: toStored(file.path) });
  });
  const removeAll = transaction(db, 'remove-seen-files', (paths: readonly string[]) => {
    for (const path of paths) remove.run(toStored(path));
  });

  return {
    list: (): SeenFile[] => selectAll.all().map((file) => ({ ...file, path: fromStored(file.path) })),
    putAll,
    removeAll,

    /** The first files, by path, that were rejected or that may be incomplete. @param limit Infinity for all of them */
    listNoted: (limit: number): SeenFile[] =>
      selectNoted
        .all(limit === Infinity ? -1 : limit)
        .map((file) => ({ ...file, path: fromStored(file.path) })),

    /** Forgets the files that were skipped because a job existed for their content; the next scan queues them again. */
    forgetDuplicates: (): void => void removeDuplicates.run(),
  };
}
