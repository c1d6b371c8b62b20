import { failed, passed, warned, type CheckResult } from '../check.ts';

export interface ModelFinding {
  readonly name: string;
  readonly state: 'ok' | 'missing' | 'damaged';
  /** Path of the file; null if it is missing. */
  readonly path: string | null;
}

/**
 * Checks that models are installed with the checksums of the manifest.
 *
 * @param needed name of the model that jobs use by default; null if they need none
 */
export function checkModels(findings: readonly ModelFinding[], needed: string | null): CheckResult {
  const namesIn = (state: ModelFinding['state']) =>
    findings.filter((finding) => finding.state === state).map(({ name }) => name);

  const damaged = findings.find(({ state }) => state === 'damaged');
  if (damaged !== undefined) {
    const { name, path } = damaged;
    return failed(
      `${name} is damaged`,
      `Delete ${path ?? 'its file'}, then run: framekiln models pull ${name}`,
    );
  }
  if (needed !== null && namesIn('missing').includes(needed)) {
    return failed(`${needed} is missing`, `Run: framekiln models pull ${needed}`);
  }
  const present = namesIn('ok');
  if (present.length > 0) return passed(`installed and verified: ${present.join(', ')}`);
  return warned('no models installed; only lanczos can be used', 'Run: framekiln models pull NAME');
}
