import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { whenWritable } from '../../../src/worker/when-writable.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { loggerInto } from '../../helpers/in-process-worker.ts';

const running = new AbortController().signal;

/** A database with a table `rows` that another connection has locked; a write does not wait for the lock. */
function lockedDatabase() {
  const path = join(temporaryFolder(), 'queue.db');
  const database = new SqliteDatabase(path, { timeout: 0 });
  database.exec('CREATE TABLE rows (value)');
  const other = new SqliteDatabase(path);
  other.exec('BEGIN EXCLUSIVE');
  onTestFinished(() => {
    database.close();
    other.close();
  });
  let writes = 0;
  const write = (): number => {
    writes++;
    return database.prepare('INSERT INTO rows VALUES (1)').run().changes;
  };
  return {
    write,
    writes: () => writes,
    release: () => other.exec('ROLLBACK'),
    rows: () => database.prepare('SELECT * FROM rows').all(),
  };
}

test('a write to a free database is made once, and its result is returned', async () => {
  const { write, release, writes, rows } = lockedDatabase();
  release();
  const lines: string[] = [];
  expect(await whenWritable(write, loggerInto(lines), running)).toBe(1);
  expect([writes(), rows().length, lines]).toEqual([1, 1, []]);
});

test('a write to a locked database is repeated until the lock is gone', async () => {
  const { write, release, writes, rows } = lockedDatabase();
  const lines: string[] = [];
  const log = loggerInto(lines);
  const result = whenWritable(write, log, running);
  expect(lines).toEqual(['cannot write to the queue: database is locked; retrying']);
  release();
  expect(await result).toBe(1);
  expect([writes(), rows().length, lines.length]).toEqual([2, 1, 1]);
});

test('a stop ends the wait for a locked database, and it was logged once', async () => {
  const { write, release, writes, rows } = lockedDatabase();
  const stop = new AbortController();
  const lines: string[] = [];
  const result = whenWritable(write, loggerInto(lines), stop.signal);
  stop.abort();
  expect(await result).toBeNull();
  release();
  // One attempt more, so that a lock that is gone by now costs nothing.
  expect([writes(), rows(), lines.length]).toEqual([2, [], 1]);
});

test('a worker that is already stopping still makes its write, and does not wait for a lock', async () => {
  const { write, release, rows } = lockedDatabase();
  const stopped = AbortSignal.abort();
  expect(await whenWritable(write, silentLogger, stopped)).toBeNull();
  release();
  expect(await whenWritable(write, silentLogger, stopped)).toBe(1);
  expect(rows()).toHaveLength(1);
});

test('a database on a disk that turned read-only is waited for', async () => {
  const path = join(temporaryFolder(), 'queue.db');
  const writable = new SqliteDatabase(path);
  writable.exec('CREATE TABLE rows (value)');
  const database = new SqliteDatabase(path, { readonly: true });
  onTestFinished(() => {
    writable.close();
    database.close();
  });
  const lines: string[] = [];
  const write = () => database.prepare('INSERT INTO rows VALUES (1)').run().changes;
  expect(await whenWritable(write, loggerInto(lines), AbortSignal.abort())).toBeNull();
  expect(lines).toEqual(['cannot write to the queue: attempt to write a readonly database; retrying']);
});

test('an error that does not pass is thrown at once', async () => {
  const write = () => {
    throw new TypeError('a defect');
  };
  const lines: string[] = [];
  await expect(whenWritable(write, loggerInto(lines), running)).rejects.toThrow('a defect');
  expect(lines).toEqual([]);
});
