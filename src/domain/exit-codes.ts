/** Exit codes of Framekiln, documented in docs/guide.md. */
export const ExitCode = {
  ok: 0,
  /** A job failed, or the daemon rejected a request. */
  failed: 1,
  /** The command line or the settings are invalid. */
  usage: 2,
  /** Something is missing on this machine: ffmpeg, a model, a GPU that the recipe requires, the disk of a folder, write permission. */
  environment: 3,
  /** Another daemon is running on this home. */
  alreadyRunning: 4,
  /** The state of the home was removed or replaced while Framekiln was running. */
  stateLost: 5,
  /** A bug in Framekiln. */
  internal: 70,
  /** Stopped by the user or the system; the next start resumes. */
  stopped: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
