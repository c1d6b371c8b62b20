import { failPoint, type TransactionName } from '../lib/fail-point.ts';
import type { Database } from './sqlite.ts';

/**
 * `body` as one transaction that takes the write lock at its start: begun later, after a read, it could find that
 * another has written meanwhile, and would fail at once instead of waiting. Called inside another it is part of it.
 *
 * @param name for fail points
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
