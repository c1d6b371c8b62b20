import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';

/** Makes the queued jobs of a home due now, instead of waiting until they are. */
export function endWaits(home: string): void {
  const db = new SqliteDatabase(join(home, '.framekiln/framekiln.db'), { timeout: 10_000 });
  db.exec(`UPDATE jobs SET not_before_at_ms = 1 WHERE state = 'queued'`);
  db.close();
}
