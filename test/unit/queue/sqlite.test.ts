import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { iterateRows, openSqlite } from '../../../src/queue/sqlite.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Uses a database in every way, and drops it. */
function usedObjects(): WeakRef<object>[] {
  const db = openSqlite(join(temporaryFolder(), 'x.db'), {});
  db.pragma('journal_mode = WAL');
  db.exec('CREATE TABLE t (a)');
  const insert = db.prepare('INSERT INTO t VALUES (?)');
  db.transaction(() => insert.run(1))();
  const rows = iterateRows(db, 'SELECT a FROM t');
  expect([...rows]).toEqual([{ a: 1 }]);
  const objects = [db, insert, db.prepare('PRAGMA journal_mode = WAL'), rows];
  db.close();
  return objects.map((object) => new WeakRef(object));
}

test('no object of SQLite is freed by the garbage collector, so none can abort the process', async () => {
  const objects = usedObjects();
  // Weak references are kept until the current task has ended.
  await new Promise(setImmediate);
  collectGarbage();
  expect(objects.map((object) => object.deref() === undefined)).toEqual([false, false, false, false]);
});

test('a statement is prepared once for its text', () => {
  const db = openSqlite(join(temporaryFolder(), 'x.db'), {});
  expect(db.prepare('SELECT 1')).toBe(db.prepare('SELECT 1'));
  expect(db.pragma('user_version', { simple: true })).toBe(0);
  expect(db.pragma('user_version')).toEqual([{ user_version: 0 }]);
  db.close();
});
