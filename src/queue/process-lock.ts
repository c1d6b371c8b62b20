import { codeOf } from '../domain/errors.ts';
import { openSqlite } from './sqlite.ts';

/** A lock held by one process at a time. The operating system releases it when the process dies. */
export interface ProcessLock {
  /** Releases the lock. May be called twice. */
  release(): void;
}

/**
 * Acquires the lock of the file at `path`, creating the file if needed, or returns null if another process holds it. The
 * lock is an exclusive transaction of an empty database: unlike a PID file it cannot outlive its process.
 */
export function acquireProcessLock(path: string): ProcessLock | null {
  const db = openSqlite(path, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (codeOf(error).startsWith('SQLITE_BUSY')) return null;
    throw error;
  }
  return { release: () => void db.close() };
}
