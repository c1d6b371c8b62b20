import SqliteDatabase from 'better-sqlite3';

/** A lock held by one process at a time. The operating system releases it when the process dies. */
export interface ProcessLock {
  /** Releases the lock. May be called twice. */
  release(): void;
}

/** Keeps held locks reachable: the garbage collector closes an unreachable database and so releases its lock. */
const held = new Set<SqliteDatabase.Database>();

/**
 * Acquires the lock of the file at `path`, creating the file if needed, or returns null if another process holds it. The
 * lock is an exclusive transaction of an empty database: unlike a PID file it cannot outlive its process.
 */
export function acquireProcessLock(path: string): ProcessLock | null {
  const db = new SqliteDatabase(path, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (error instanceof SqliteDatabase.SqliteError && error.code.startsWith('SQLITE_BUSY')) return null;
    throw error;
  }
  held.add(db);
  return {
    release() {
      held.delete(db);
      db.close();
    },
  };
}
