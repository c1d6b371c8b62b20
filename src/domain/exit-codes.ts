/** What a process of Framekiln ends with; the table of docs/guide.md says the same. */
export const ExitCode = {
  ok: 0,
  /** A job failed, or the daemon rejected what it was asked. */
  failed: 1,
  /** The command line or the configuration cannot be used. */
  usage: 2,
  /** Something is missing on this machine: ffmpeg, a model, a folder's write rights. */
  environment: 3,
  /** Another daemon works on this home. */
  alreadyRunning: 4,
  /** A defect of Framekiln. */
  internal: 70,
  /** Stopped by a person or the system before its end; started again, it goes on. */
  stopped: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
