/** What is known of one file in the input folder. Kept in the database, so that a restart goes on where it was. */
export interface SeenFile {
  /** Absolute. */
  readonly path: string;
  /** What the file was like, as text that is equal exactly when nothing about it has changed. */
  readonly signature: string;
  /**
   * `settling`: may still be growing. `taken`: it is a job now, or was known as one. `rejected`: not a usable video or
   * recipe. The last two are looked at again only when the signature changes.
   */
  readonly state: 'settling' | 'taken' | 'rejected';
  /** When it first had this look. */
  readonly sinceAtMs: number;
  /** The stable code of the rejection. */
  readonly code: string | null;
  /** Why it was rejected, one sentence. */
  readonly message: string | null;
}
