import { existsSync, renameSync, rmSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import { codeOf, DatabaseDamagedError, toError } from '../domain/errors.ts';
import { openDatabase } from './database.ts';
import type { Database } from './sqlite.ts';

/** Parents before children. Events and commands are for their own day. */
const TABLES = ['jobs', 'batches', 'seen_files', 'settings'] as const;

export interface Salvage {
  /** Where the damaged file lies now. */
  readonly setAside: string;
  readonly jobs: number;
  readonly batches: number;
}

/** Whether this error, or what caused it, says that the database's file is damaged. */
export function isDamage(error: unknown): boolean {
  return error instanceof DatabaseDamagedError || /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error));
}

/** What SQLite finds wrong with the file at `path`, or null. A file that is not there is audio. */
export function whyDamaged(path: string): string | null {
  if (!existsSync(path)) return null;
  try {
    const db = new SqliteDatabase(path);
    try {
      // Not quick_check, which does not hold indexes against their tables: a job that its index misses is never claimed.
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
 * Sets a damaged database aside, under a name of its own, and copies what can still be read of it into a new one.
 * Checkpoints may be trusted: each segment is held against its sha256 before it is used. Nobody may have it open.
 */
export function salvageDatabase(path: string, nowMs: number): Salvage {
  const setAside = `${path}.damaged-${new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-')}`;
  for (const end of ['', '-wal']) if (existsSync(path + end)) renameSync(path + end, setAside + end);
  rmSync(`${path}-shm`, { force: true });
  const db = openDatabase(path);
  try {
    const [jobs = 0, batches = 0] = TABLES.map((table) => copyReadable(setAside, db, table));
    // A file whose job is lost was not taken after all: it is found again.
    db.exec(`DELETE FROM seen_files WHERE state = 'taken' AND path NOT IN (SELECT source_path FROM jobs)`);
    return { setAside, jobs, batches };
  } finally {
    db.close();
  }
}

/** Copies the rows of a table from both ends, each as far as the file can be read. @returns how many */
function copyReadable(from: string, to: Database, table: string): number {
  let copied = 0;
  for (const order of ['ASC', 'DESC']) {
    try {
      const damaged = new SqliteDatabase(from, { readonly: false });
      try {
        const key = table === 'seen_files' ? 'path' : table === 'settings' ? 'key' : 'rowid';
        const rows = damaged.prepare(`SELECT * FROM ${table} ORDER BY ${key} ${order}`).iterate();
        for (const row of rows) copied += insertRow(to, table, row as Record<string, unknown>);
      } finally {
        damaged.close();
      }
    } catch (error) {
      if (!isDamage(error) && codeOf(error) !== 'SQLITE_ERROR') throw error;
      // Readable to here; the other end may hold more. SQLITE_ERROR: not even the table is there.
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
    // A torn row breaks a rule of the schema; its neighbours may be whole.
    if (codeOf(error).startsWith('SQLITE_CONSTRAINT')) return 0;
    throw error;
  }
}
