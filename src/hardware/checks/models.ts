import { failed, passed, warned, type CheckResult } from '../check.ts';

export interface ModelFinding {
  readonly name: string;
  readonly state: 'ok' | 'missing' | 'damaged';
}

/**
 * Whether the models are there with the bytes that the manifest names.
 *
 * @param needed the one that jobs are about to use; null where they use none of the manifest's
 */
export function checkModels(findings: readonly ModelFinding[], needed: string | null): CheckResult {
  const namesIn = (state: ModelFinding['state']) =>
    findings.filter((finding) => finding.state === state).map(({ name }) => name);

  const [damaged] = namesIn('damaged');
  if (damaged !== undefined) {
    return failed(`${damaged} is damaged`, `Delete its file and run \`framekiln models pull ${damaged}\`.`);
  }
  if (needed !== null && namesIn('missing').includes(needed)) {
    return failed(`${needed} is missing`, `Run \`framekiln models pull ${needed}\`.`);
  }
  const present = namesIn('ok');
  if (present.length > 0) return passed(`here, with the right checksum: ${present.join(', ')}`);
  return warned('none is here, so that only lanczos can be used', 'Run `framekiln models pull NAME`.');
}
