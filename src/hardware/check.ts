import { toError } from '../domain/errors.ts';

/** `fail`: Framekiln cannot work. `warn`: Framekiln works, but slower or with less. */
export type CheckStatus = 'ok' | 'warn' | 'fail';

/** Result of one check. */
export interface CheckResult {
  readonly status: CheckStatus;
  /** What was found, for people. */
  readonly found: string;
  /** How to fix the problem, in one sentence; null if there is none. */
  readonly remedy: string | null;
}

export interface NamedCheckResult extends CheckResult {
  readonly name: string;
}

/** Checks by name, such as `ram disk`. */
export type Checks = Readonly<Record<string, () => CheckResult | Promise<CheckResult>>>;

export function passed(found: string): CheckResult {
  return { status: 'ok', found, remedy: null };
}

export function warned(found: string, remedy: string): CheckResult {
  return { status: 'warn', found, remedy };
}

export function failed(found: string, remedy: string): CheckResult {
  return { status: 'fail', found, remedy };
}

/** Runs checks one after the other. A check that throws counts as failed, with the message of its error. */
export async function runChecks(checks: Checks): Promise<NamedCheckResult[]> {
  const results: NamedCheckResult[] = [];
  for (const [name, check] of Object.entries(checks)) {
    try {
      results.push({ name, ...(await check()) });
    } catch (error) {
      const found = `the check itself failed: ${toError(error).message}`;
      results.push({
        name,
        ...failed(found, 'If the message does not explain the cause, report it as a bug.'),
      });
    }
  }
  return results;
}
