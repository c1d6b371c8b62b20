import { failed, passed, warned, type CheckResult } from '../check.ts';

export interface ModelFinding {
  readonly name: string;
  readonly state: 'ok' | 'missing' | 'damaged';
  /** Path of the file; null if it is missing. */
  readonly path: string | null;
  /** The command that installs it. */
  readonly command: string;
}

/**
 * Checks that models are installed with the checksums of the manifest.
 *
 * @param needed name of the model that jobs use by default; null if they need none
 */
export function checkModels(findings: readonly ModelFinding[], needed: string | null): CheckResult {
  const damaged = findings.find(({ state }) => state === 'damaged');
  if (damaged !== undefined) {
    const { name, path, command } = damaged;
    return failed(`${name} is damaged`, `Delete ${path ?? 'its file'}, then run: ${command}`);
  }
  const missing = findings.find(({ name, state }) => state === 'missing' && name === needed);
  if (missing !== undefined) return failed(`${missing.name} is missing`, `Run: ${missing.command}`);
  const present = findings.filter(({ state }) => state === 'ok').map(({ name }) => name);
  if (present.length > 0) return passed(`installed and verified: ${present.join(', ')}`);
  return warned('no models installed; only lanczos can be used', 'Run: framekiln models pull NAME');
}
