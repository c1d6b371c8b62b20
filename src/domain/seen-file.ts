/** What is known about a file in the input folder, stored in the database for the next start. */
export interface SeenFile {
  /** Absolute path. */
  readonly path: string;
  /** File signature: text that changes whenever the file changes. */
  readonly signature: string;
  /**
   * `settling`: may still be growing. `taken`: is a job, or has the same content as one. `rejected`: is not a usable video,
   * or has no usable recipe. Files that are taken or rejected are checked again only if their signature changes.
   */
  readonly state: 'settling' | 'taken' | 'rejected';
  /** When the file first had this signature. */
  readonly sinceAtMs: number;
  /** Stable code of the rejection, or null. */
  readonly code: string | null;
  /** Why the file was rejected, in one sentence, or null. */
  readonly message: string | null;
}
