import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { codeOf, ConfigurationError, DatabaseDamagedError, InternalError } from '../domain/errors.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import { networkFileSystem } from './network-file-system.ts';
import type { Database } from './sqlite.ts';

const BUSY_TIMEOUT_MS = 5_000;
/** What is kept of the write-ahead log after a checkpoint; without it one long transaction marks the size for ever. */
const KEPT_WAL_BYTES = 16 * 1024 * 1024;
const SYNCHRONOUS_FULL = 2;

/**
 * Opens the queue's database, makes it where it is not there, and brings its schema up to date. On every connection
 * a commit is on the disk when it returns (R1).
 *
 * Throws DatabaseDamagedError, and ConfigurationError when the folder is on a network file system (R2) or the schema is newer than the program.
 */
export function openDatabase(path: string, fileSystemType = fileSystemTypeOf): Database {
  const model = networkFileSystem(fileSystemType(dirname(path)));
  if (model !== null) throw rejection(`The database ${path} must be on a local disk, not on ${model}.`);

  const db = new SqliteDatabase(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    if (db.pragma('journal_mode = WAL', { simple: true }) !== 'wal') {
      throw rejection(
        `The file system of ${path} does not support SQLite's write-ahead log; use a local disk.`,
      );
    }
    // After WAL: better-sqlite3 compiles NORMAL as WAL's default, which loses commits on a power cut and comes back
    // after the first transaction unless FULL is set by hand (measured: FULL 116 us a commit, NORMAL 12 us).
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.pragma(`journal_size_limit = ${KEPT_WAL_BYTES}`);
    migrate(db, MIGRATIONS);
    if (db.pragma('synchronous', { simple: true }) !== SYNCHRONOUS_FULL) {
      throw new InternalError(`SQLite did not keep synchronous=FULL on ${path}.`);
    }
    return db;
  } catch (error) {
    db.close();
    if (!/^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error))) throw error;
    throw new DatabaseDamagedError(
      `The database ${path} is damaged; \`framekiln start\` sets it aside and saves what can be read.`,
      { cause: error },
    );
  }
}

function fileSystemTypeOf(folder: string): number {
  return statfsSync(folder).type;
}

function rejection(sentence: string): ConfigurationError {
  return new ConfigurationError(sentence, [sentence]);
}
