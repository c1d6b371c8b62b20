import { toError } from '../domain/errors.ts';

/** `fail`: Framekiln does not work like this. `warn`: it works, with less. */
export type CheckStatus = 'ok' | 'warn' | 'fail';

/** What one check found. Both texts are one sentence. */
export interface CheckResult {
  readonly status: CheckStatus;
  readonly found: string;
  /** How to mend it; null when there is nothing to mend. */
  readonly remedy: string | null;
}

export interface NamedCheckResult extends CheckResult {
  readonly name: string;
}

/** A check by its name, such as `ram disk`. */
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

/** Runs the checks one after the other. A check that throws has failed, with the error's sentence. */
export async function runChecks(checks: Checks): Promise<NamedCheckResult[]> {
  const results: NamedCheckResult[] = [];
  for (const [name, check] of Object.entries(checks)) {
    try {
      results.push({ name, ...(await check()) });
    } catch (error) {
      const found = `the check itself failed: ${toError(error).message}`;
      results.push({ name, ...failed(found, 'Report this if the message does not say what to do.') });
    }
  }
  return results;
}
