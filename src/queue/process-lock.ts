import SqliteDatabase from 'better-sqlite3';

/** Held by one process at a time. The operating system gives it back when the process dies, however it dies. */
export interface ProcessLock {
  /** May be called twice. */
  release(): void;
}

/** Held locks stay reachable from here: the garbage collector closes a database that nobody knows, and so unlocks. */
const held = new Set<SqliteDatabase.Database>();

/**
 * The lock of the file at `path` (made where it is not there), or null while another process holds it (R26). It is
 * the exclusive transaction of an empty database: no pid file that outlives its process, and no dependency of its own.
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
