import { failPoint, type TransactionName } from '../lib/fail-point.ts';
import type { Database } from './sqlite.ts';

/**
 * Wraps `body` in a transaction that takes the write lock at its start. A transaction that reads first would fail at once,
 * without waiting, if another process had written in between. Nested calls join the outer transaction.
 *
 * @param name prefix of its fail points
 */
export function transaction<Args extends unknown[], Result>(
  db: Database,
  name: TransactionName,
  body: (...args: Args) => Result,
): (...args: Args) => Result {
  const run = db.transaction((...args: Args): Result => {
    failPoint(`${name}.begun`);
    const result = body(...args);
    failPoint(`${name}.before-commit`);
    return result;
  });
  return (...args) => {
    failPoint(`${name}.before-begin`);
    const result = run.immediate(...args);
    failPoint(`${name}.committed`);
    return result;
  };
}
