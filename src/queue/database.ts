import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  codeOf,
  ConfigurationError,
  DatabaseDamagedError,
  InternalError,
  StateLostError,
} from '../domain/errors.ts';
import { migrate, type Migration } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import { networkFileSystem } from './network-file-system.ts';
import { openSqlite, type Database } from './sqlite.ts';

const BUSY_TIMEOUT_MS = 5_000;
/** Size to which a checkpoint truncates the write-ahead log; without a limit it keeps the size of its longest transaction. */
const KEPT_WAL_BYTES = 16 * 1024 * 1024;
const SYNCHRONOUS_FULL = 2;

/**
 * Opens the queue's database, creating it if it does not exist, and applies the migrations that it lacks. On every
 * connection a commit is on the disk when it returns.
 *
 * @param migrations all migrations, or the first ones, as an older version had them
 * @param mustExist whether a missing database is an error: only a daemon or a command may create one
 * @throws DatabaseDamagedError
 * @throws StateLostError if the database must exist and does not
 * @throws ConfigurationError if the folder is on a network file system or the schema is newer than this program
 */
export function openDatabase(
  path: string,
  fileSystemType = fileSystemTypeOf,
  migrations: readonly Migration[] = MIGRATIONS,
  mustExist = false,
): Database {
  if (mustExist && !existsSync(path)) throw new StateLostError(`The database ${path} is missing.`);
  const remote = networkFileSystem(fileSystemType(dirname(path)));
  if (remote !== null)
    throw configurationError(`The database ${path} must be on a local disk, not on ${remote}.`);

  const db = openSqlite(path, { timeout: BUSY_TIMEOUT_MS, fileMustExist: mustExist });
  try {
    if (db.pragma('journal_mode = WAL', { simple: true }) !== 'wal') {
      throw configurationError(
        `The file system of ${path} does not support SQLite's write-ahead log; use a local disk.`,
      );
    }
    // Set after WAL: better-sqlite3 is compiled with NORMAL as the default of WAL, which loses commits on a power cut and
    // returns after the first transaction unless FULL is set explicitly (measured: FULL 116 µs a commit, NORMAL 12 µs).
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.pragma(`journal_size_limit = ${KEPT_WAL_BYTES}`);
    migrate(db, migrations);
    if (db.pragma('synchronous', { simple: true }) !== SYNCHRONOUS_FULL) {
      throw new InternalError(`SQLite did not keep synchronous=FULL on ${path}.`);
    }
    return db;
  } catch (error) {
    db.close();
    if (!/^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error))) throw error;
    throw new DatabaseDamagedError(
      `The database ${path} is damaged; run \`framekiln start\`, which keeps a copy of it and recovers what can be read.`,
      { cause: error },
    );
  }
}

/** Opens a database of another home, to read a value. Throws if it does not exist or is no database. */
export function openReadOnly(path: string): Database {
  return openSqlite(path, { readonly: true, timeout: BUSY_TIMEOUT_MS });
}

function fileSystemTypeOf(folder: string): number {
  return statfsSync(folder).type;
}

function configurationError(sentence: string): ConfigurationError {
  return new ConfigurationError(sentence, [sentence]);
}
