import { setTimeout as delay } from 'node:timers/promises';
import { toError } from '../domain/errors.ts';
import { isTransientDatabaseError } from '../domain/transient-errors.ts';
import type { Logger } from '../observability/log-entry.ts';

const RETRY_MS = 1_000;

/**
 * Writes to the queue, and repeats the write for as long as the database is locked, or the disk full or read-only. Without
 * this, such a disk would end the worker, and its jobs would lose an attempt.
 *
 * @returns the result of `write`; null when `signal` was aborted first
 */
export async function whenWritable<Result>(
  write: () => Result,
  log: Logger,
  signal: AbortSignal,
): Promise<Result | null> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return write();
    } catch (error) {
      if (!isTransientDatabaseError(error)) throw error;
      if (isFirst) log.warn(`cannot write to the queue: ${toError(error).message}; retrying`);
      if (signal.aborted) return null;
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
