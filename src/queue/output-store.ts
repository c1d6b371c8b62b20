import type { Job, Lease } from '../domain/job.ts';
import type { HomePaths } from './home-paths.ts';
import { assertHeld, HELD } from './lease-guard.ts';
import { createOutputNames } from './output-names.ts';
import type { Database } from './sqlite.ts';

/** A finished video that this home has written; the file may be gone since. */
export interface WrittenOutput {
  readonly sha256: string;
  readonly bytes: number;
}

export type OutputStore = ReturnType<typeof createOutputStore>;

/** Names of the finished videos, and which files this home has written. */
export function createOutputStore(db: Database, paths: HomePaths) {
  const firstFreeName = createOutputNames(db, paths);
  const setPath = db.prepare<object>(`UPDATE jobs SET output_path = @path WHERE ${HELD}`);
  const insertWritten = db.prepare<object>(
    `INSERT OR REPLACE INTO written_outputs (sha256, bytes, job_id, fingerprint)
     VALUES (@sha256, @bytes, @id, @fingerprint)`,
  );
  const deleteWritten = db.prepare(`DELETE FROM written_outputs`);
  const selectOfJob = db.prepare<{ id: number }, WrittenOutput>(
    `SELECT sha256, bytes FROM written_outputs WHERE job_id = @id`,
  );
  const selectOfContent = db.prepare<{ id: number; fingerprint: string }, WrittenOutput>(
    `SELECT sha256, bytes FROM written_outputs WHERE job_id = @id OR (fingerprint = @fingerprint AND job_id < @id)`,
  );

  const reserve = db.transaction(
    (job: Job, lease: Lease, outputPath: string, isTaken: (path: string) => boolean): string => {
      const path = firstFreeName({ ...job, outputPath }, isTaken);
      assertHeld(lease, setPath.run({ ...lease, path: paths.toStored(path) }).changes);
      return path;
    },
  );

  return {
    /**
     * Reserves a name for the output of a job: the requested one, or the first after it that no other job holds and that
     * is not taken.
     *
     * @throws LeaseLostError
     */
    reserve: (job: Job, lease: Lease, outputPath: string, isTaken: (path: string) => boolean): string =>
      reserve.immediate(job, lease, outputPath, isTaken),

    /** Records a finished video before it gets its name, so that it is recognised whenever the program is killed. */
    addWritten: (job: Pick<Job, 'id' | 'fingerprint'>, { sha256, bytes }: WrittenOutput): void =>
      void insertWritten.run({ ...job, sha256, bytes }),

    /** Forgets which files this home has written, so that it replaces none of them. */
    forgetWritten: (): void => void deleteWritten.run(),

    writtenByJob: ({ id }: Pick<Job, 'id'>): WrittenOutput[] => selectOfJob.all({ id }),

    /** The finished videos that this home has written for the job, and for older jobs with the same content. */
    writtenForContent: ({ id, fingerprint }: Pick<Job, 'id' | 'fingerprint'>): WrittenOutput[] =>
      selectOfContent.all({ id, fingerprint }),
  };
}
