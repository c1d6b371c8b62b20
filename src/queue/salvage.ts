import { existsSync, renameSync, rmSync } from 'node:fs';
import { codeOf, DatabaseDamagedError, toError } from '../domain/errors.ts';
import { openDatabase } from './database.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import { iterateRows, openSqlite, type Database } from './sqlite.ts';

/** The tables to salvage, parents before children. Events and commands are not worth saving. */
const TABLES = ['jobs', 'batches', 'seen_files', 'settings', 'written_outputs', 'hook_runs'] as const;

/** Keys of the tables that have no rowid. */
const KEYS: Readonly<Record<string, string>> = {
  seen_files: 'path',
  settings: 'key',
  written_outputs: 'sha256',
};

export interface Salvage {
  /** Path of the copy of the damaged file. */
  readonly copy: string;
  readonly jobs: number;
  readonly batches: number;
}

/** Whether an error of SQLite or of this program says that the database file is damaged. */
export function isDamage(error: unknown): boolean {
  return error instanceof DatabaseDamagedError || /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error));
}

/** What SQLite finds wrong with the file at `path`, or null if it is sound or does not exist. */
export function whyDamaged(path: string): string | null {
  if (!existsSync(path)) return null;
  try {
    const db = openSqlite(path, {});
    try {
      // Not quick_check, which does not compare indexes with their tables: a job missing from its index is never claimed.
      const found = db.pragma('integrity_check(1)', { simple: true });
      return found === 'ok' ? null : String(found);
    } finally {
      db.close();
    }
  } catch (error) {
    if (isDamage(error)) return toError(error).message;
    throw error;
  }
}

/**
 * Renames a damaged database and copies what can still be read from it into a new one. The new one starts with the
 * schema of the damaged one and is then migrated, so rows of an older version are migrated as well. Checkpoints are
 * safe to copy: a segment's sha256 is checked before the segment is used. No process may have the database open.
 */
export function salvageDatabase(path: string, nowMs: number): Salvage {
  const copy = `${path}.damaged-${new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-')}`;
  for (const end of ['', '-wal']) if (existsSync(path + end)) renameSync(path + end, copy + end);
  rmSync(`${path}-shm`, { force: true });
  const db = openDatabase(path, undefined, MIGRATIONS.slice(0, schemaVersion(copy)));
  try {
    const [jobs = 0, batches = 0] = TABLES.map((table) => copyReadable(copy, db, table));
    migrate(db, MIGRATIONS);
    // A file whose job is lost has to be found again.
    db.exec(`DELETE FROM seen_files WHERE state = 'taken' AND path NOT IN (SELECT source_path FROM jobs)`);
    return { copy, jobs, batches };
  } finally {
    db.close();
  }
}

/** The number of migrations that the database at `path` has had; all of them if that cannot be read. */
function schemaVersion(path: string): number {
  try {
    const db = openSqlite(path, {});
    try {
      return (db.pragma('user_version', { simple: true }) as number) || MIGRATIONS.length;
    } finally {
      db.close();
    }
  } catch (error) {
    if (isDamage(error)) return MIGRATIONS.length;
    throw error;
  }
}

/** Copies the rows of a table from both ends, each as far as the file can be read. @returns the number of rows copied */
function copyReadable(from: string, to: Database, table: string): number {
  let copied = 0;
  for (const order of ['ASC', 'DESC']) {
    try {
      const damaged = openSqlite(from, { readonly: false });
      try {
        const key = KEYS[table] ?? 'rowid';
        const rows = iterateRows(damaged, `SELECT * FROM ${table} ORDER BY ${key} ${order}`);
        for (const row of rows) copied += insertRow(to, table, row as Record<string, unknown>);
      } finally {
        damaged.close();
      }
    } catch (error) {
      if (!isDamage(error) && codeOf(error) !== 'SQLITE_ERROR') throw error;
      // Readable up to here; the other end may hold more. SQLITE_ERROR: the table itself is missing.
    }
  }
  return copied;
}

function insertRow(to: Database, table: string, row: Record<string, unknown>): number {
  const names = Object.keys(row);
  const places = names.map((name) => `@${name}`).join(', ');
  try {
    return to.prepare(`INSERT OR IGNORE INTO ${table} (${names.join(', ')}) VALUES (${places})`).run(row)
      .changes;
  } catch (error) {
    // A torn row violates a constraint; its neighbours may be intact.
    if (codeOf(error).startsWith('SQLITE_CONSTRAINT')) return 0;
    throw error;
  }
}
