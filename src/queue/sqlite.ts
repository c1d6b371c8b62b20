import SqliteDatabase from 'better-sqlite3';

/** An open SQLite connection, as better-sqlite3 gives it. */
export type Database = SqliteDatabase.Database;

/** Everything that must stay reachable, see `openSqlite`. */
const kept: unknown[] = [];

/**
 * Opens a database. The connection, and each statement once for its text, stay reachable for the life of the process:
 * where better-sqlite3 12 was compiled with the headers of Node 24.19 or later, Node aborts the process when the garbage
 * collector frees one of its objects while no JavaScript runs (https://github.com/nodejs/node/issues/65446).
 */
export function openSqlite(path: string, options: SqliteDatabase.Options): Database {
  const db = new SqliteDatabase(path, options);
  const prepare = db.prepare.bind(db) as (sql: string) => SqliteDatabase.Statement;
  const statements = new Map<string, SqliteDatabase.Statement>();
  const statementFor = (sql: string): SqliteDatabase.Statement => {
    const statement = statements.get(sql) ?? prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  kept.push(db, statements);
  return Object.assign(db, {
    prepare: statementFor,
    pragma: (text: string, { simple = false } = {}): unknown => {
      const statement = statementFor(`PRAGMA ${text}`);
      if (!statement.reader) return statement.run();
      return simple ? statement.pluck(true).get() : statement.pluck(false).all();
    },
  });
}

/** Reads rows one by one; rows before a damaged page are read although a later one cannot be. */
export function iterateRows(db: Database, sql: string): IterableIterator<unknown> {
  const rows = db.prepare(sql).iterate();
  kept.push(rows);
  return rows;
}
