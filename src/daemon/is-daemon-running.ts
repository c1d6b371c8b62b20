import { acquireProcessLock } from '../queue/process-lock.ts';

/** Whether a daemon is running, that is, holds the lock of the home. Takes the lock for an instant to find out. */
export function isDaemonRunning(lockFile: string): boolean {
  const lock = acquireProcessLock(lockFile);
  lock?.release();
  return lock === null;
}
