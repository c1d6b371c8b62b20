import { ConfigurationError } from '../domain/errors.ts';
import type { Database } from './sqlite.ts';
import { transaction } from './transaction.ts';

/** A step of the schema. Once released, its text never changes; what comes later is a new step. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/**
 * Brings the schema to the last of `migrations`, each in a transaction of its own; `user_version` counts those done.
 * Throws ConfigurationError when the database was written by a newer program.
 */
export function migrate(db: Database, migrations: readonly Migration[]): void {
  // Read again inside the lock: two processes may start at once.
  const applyNext = transaction(db, 'migration', () => {
    const done = db.pragma('user_version', { simple: true }) as number;
    if (done > migrations.length) {
      const sentence = `The database ${db.name} has schema ${done}, but this program knows ${migrations.length}; use a newer Framekiln.`;
      throw new ConfigurationError(sentence, [sentence]);
    }
    const next = migrations[done];
    if (next === undefined) return false;
    db.exec(next.sql);
    db.pragma(`user_version = ${done + 1}`);
    return true;
  });
  while (applyNext());
}
