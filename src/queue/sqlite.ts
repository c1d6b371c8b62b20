import type SqliteDatabase from 'better-sqlite3';

/** An open SQLite connection, as better-sqlite3 gives it. */
export type Database = SqliteDatabase.Database;
