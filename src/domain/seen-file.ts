/** What is known about a file in the input folder, stored in the database for the next start. */
export interface SeenFile {
  /** Absolute path. */
  readonly path: string;
  /** File signature: text that changes whenever the file or its sidecar changes. */
  readonly signature: string;
  /** Signature of the file alone when it was last taken; null if it never was, or if its latest job has failed. */
  readonly takenSignature: string | null;
  /**
   * `settling`: may still be growing. `taken`: is a job, has the same content as one, or, with a code, needs none. `rejected`: is not a usable video,
   * or has no usable recipe. Files that are taken or rejected are checked again only if their signature changes.
   */
  readonly state: 'settling' | 'taken' | 'rejected';
  /** The time at which the file first had this signature, or at which a process last had it open for writing. */
  readonly sinceAtMs: number;
  /** Stable code of why the file was rejected or needs no job, or of why a file that no longer changes is still settling; or null. */
  readonly code: string | null;
  /** The reason for `code` in words, or null. */
  readonly message: string | null;
}
