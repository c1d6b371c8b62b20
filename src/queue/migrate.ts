import { ConfigurationError } from '../domain/errors.ts';
import type { Database } from './sqlite.ts';
import { transaction } from './transaction.ts';

/** One step of the schema. A released migration never changes; later changes are new migrations. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/**
 * Applies the migrations that a database lacks; `user_version` counts those applied. A new database gets all of them in one
 * transaction, because each commit waits for the disk (14 took 120 ms); an older one gets each in its own.
 * Throws ConfigurationError if the database was written by a newer version.
 */
export function migrate(db: Database, migrations: readonly Migration[]): void {
  // The version is read inside the lock, because two processes may start at the same time.
  const applyNext = transaction(db, 'migration', () => {
    const done = db.pragma('user_version', { simple: true }) as number;
    if (done > migrations.length) {
      const sentence = `The database ${db.name} has schema version ${done}, but this version of Framekiln supports ${migrations.length} at most; update Framekiln.`;
      throw new ConfigurationError(sentence, [sentence]);
    }
    const next = migrations.slice(done, done === 0 ? migrations.length : done + 1);
    for (const { sql } of next) db.exec(sql);
    if (next.length > 0) db.pragma(`user_version = ${done + next.length}`);
    return next.length > 0;
  });
  while (applyNext());
}
