import type { Database } from './sqlite.ts';

/** An event in the history of a job, such as resumed or attempt-failed. */
export interface JobEvent {
  readonly atMs: number;
  readonly kind: string;
  readonly message: string;
}

/** Kind of the event of a job that is estimated to take very long. */
export const LONG_JOB = 'long-job';

export type EventStore = ReturnType<typeof createEventStore>;

/** The history of each job, for display. */
export function createEventStore(db: Database) {
  const insert = db.prepare<object>(
    `INSERT INTO events (job_id, at_ms, kind, message) VALUES (@jobId, @atMs, @kind, @message)`,
  );
  const selectLast = db.prepare<[number, number], JobEvent>(
    `SELECT at_ms AS atMs, kind, message FROM events WHERE job_id = ? ORDER BY id DESC LIMIT ?`,
  );

  return {
    addEvent: (jobId: number, event: JobEvent): void => void insert.run({ ...event, jobId }),

    /** The last `limit` events of a job, newest first. */
    listEvents: (jobId: number, limit: number): JobEvent[] => selectLast.all(jobId, limit),
  };
}
