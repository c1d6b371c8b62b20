import { setTimeout as delay } from 'node:timers/promises';
import { acquireProcessLock, type ProcessLock } from '../queue/process-lock.ts';

/** Retries, because a command that checks for a running daemon holds the lock for an instant. */
const RETRIES = 3;
const RETRY_MS = 100;

/** Acquires the lock that allows one daemon per home; null if another daemon is running. */
export async function acquireDaemonLock(path: string): Promise<ProcessLock | null> {
  for (let retriesLeft = RETRIES; ; retriesLeft--) {
    const lock = acquireProcessLock(path);
    if (lock !== null || retriesLeft === 0) return lock;
    await delay(RETRY_MS);
  }
}
