import { existsSync } from 'node:fs';
import { nextFileName } from '../lib/next-file-name.ts';
import type { HomePaths } from './home-paths.ts';
import type { Database } from './sqlite.ts';

/** The job that needs a name for its output. */
export interface NameRequest {
  /** Absolute path that the job asks for. */
  readonly outputPath: string;
  /** Absolute path of the source. */
  readonly sourcePath: string;
  readonly fingerprint: string;
  /** ID of the job; null for one that does not exist yet. */
  readonly id: number | null;
}

/**
 * Creates a function that returns the path that a job may write to: the requested one, or `clip (2).mp4` and so on if
 * another job has that name. An unfinished job holds its name, unless its source was replaced by that of the new job. A
 * finished or cancelled one holds it while the file exists, except from jobs for the same content.
 */
export function createOutputNames(db: Database, { toStored, fromStored }: HomePaths) {
  const selectHolders = db.prepare<object, { ended: number; path: string }>(
    `SELECT state IN ('done', 'cancelled') AS ended, output_path AS path FROM jobs
     WHERE output_path = @path AND id IS NOT @id AND CASE
       WHEN state IN ('done', 'cancelled') THEN fingerprint <> @fingerprint
       ELSE state <> 'failed' AND NOT (source_path = @source AND fingerprint <> @fingerprint) END`,
  );

  /** Finds the first free name. @param isTaken whether a name is taken by something that the database does not know */
  return (request: NameRequest, isTaken: (path: string) => boolean = () => false): string => {
    const { id, fingerprint } = request;
    const source = toStored(request.sourcePath);
    const isHeld = (path: string): boolean =>
      selectHolders
        .all({ path: toStored(path), id, fingerprint, source })
        .some((holder) => holder.ended === 0 || existsSync(fromStored(holder.path)));
    let path = request.outputPath;
    while (isTaken(path) || isHeld(path)) path = nextFileName(path);
    return path;
  };
}
