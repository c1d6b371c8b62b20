/** A job as it was when it ended, for its hooks: it may have been queued again meanwhile. */
export interface EndedJob {
  readonly jobId: number;
  readonly state: 'done' | 'failed';
  /** Absolute path. */
  readonly sourcePath: string;
  /** Absolute path; there is no such file if the job failed. */
  readonly outputPath: string;
  /** Null unless the job failed. */
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly atMs: number;
}
