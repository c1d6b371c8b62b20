import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigurationError } from '../../../src/domain/errors.ts';
import { openDatabase } from '../../../src/queue/database.ts';
import { migrate } from '../../../src/queue/migrate.ts';
import { MIGRATIONS } from '../../../src/queue/migrations.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const addColumn = { name: '0002-add-column', sql: `ALTER TABLE jobs ADD COLUMN request TEXT` };
const broken = { name: '0003-broken', sql: `CREATE TABLE half (id INTEGER); SELECT * FROM nowhere;` };

function pathOfDatabase(): string {
  return join(temporaryFolder(), 'queue.db');
}

test('a new and a reopened database use WAL, synchronous=FULL and foreign keys, also after a write', () => {
  const path = pathOfDatabase();
  for (const round of ['fresh', 'reopened']) {
    const db = openDatabase(path);
    db.exec(`INSERT INTO settings VALUES ('${round}', '')`);
    expect(db.pragma('synchronous', { simple: true }), round).toBe(2);
    expect(db.pragma('journal_mode', { simple: true }), round).toBe('wal');
    expect(db.pragma('foreign_keys', { simple: true }), round).toBe(1);
    db.close();
  }
});

test.each([
  [0x6969, 'NFS'],
  [0xff534d42 | 0, 'CIFS'],
  [0x01021997, '9p'],
])('rejects a folder on a network file system: type %i (%s)', (type, name) => {
  expect(() => openDatabase(pathOfDatabase(), () => type)).toThrow(
    expect.objectContaining({ code: 'BAD_CONFIGURATION', message: expect.stringContaining(name) as string }),
  );
});

test('brings an older schema up to date and keeps its rows', () => {
  const path = pathOfDatabase();
  const db = openDatabase(path);
  db.exec(`INSERT INTO settings VALUES ('kept', 'yes')`);
  migrate(db, [...MIGRATIONS, addColumn]);
  expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length + 1);
  expect(db.prepare(`SELECT request FROM jobs`).all()).toEqual([]);
  expect(db.prepare(`SELECT value FROM settings`).get()).toEqual({ value: 'yes' });
  db.close();
});

test('a migration that fails is rolled back completely', () => {
  const db = openDatabase(pathOfDatabase());
  expect(() => migrate(db, [...MIGRATIONS, addColumn, broken])).toThrow('nowhere');
  expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length + 1);
  expect(db.prepare(`SELECT name FROM sqlite_schema WHERE name = 'half'`).get()).toBeUndefined();
  db.close();
});

test('rejects the database of a newer program', () => {
  const path = pathOfDatabase();
  const db = openDatabase(path);
  db.pragma(`user_version = ${MIGRATIONS.length + 1}`);
  db.close();
  expect(() => openDatabase(path)).toThrow(ConfigurationError);
  expect(() => openDatabase(path)).toThrow('update Framekiln');
});
