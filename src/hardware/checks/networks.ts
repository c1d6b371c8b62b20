import { failed, passed, warned, type CheckResult } from '../check.ts';

export interface NetworkFinding {
  readonly name: string;
  readonly state: 'ok' | 'missing' | 'damaged';
}

/** Whether the networks are there with the bytes that the manifest names. @param needed the default recipe's */
export function checkNetworks(findings: readonly NetworkFinding[], needed: string): CheckResult {
  const named = (state: NetworkFinding['state']) => findings.filter((finding) => finding.state === state);
  const list = (some: readonly NetworkFinding[]) => some.map((finding) => finding.name).join(', ');

  const damaged = named('damaged');
  if (damaged.length > 0) {
    return failed(
      `damaged: ${list(damaged)}`,
      `Delete the file and run \`framekiln models pull ${damaged[0]?.name ?? ''}\`.`,
    );
  }
  const present = named('ok');
  if (present.length === 0) {
    return failed('no network is there', `Run \`framekiln models pull ${needed}\`.`);
  }
  if (named('missing').some((finding) => finding.name === needed)) {
    return warned(
      `there: ${list(present)}; the default network ${needed} is missing`,
      `Run \`framekiln models pull ${needed}\`.`,
    );
  }
  return passed(`there, with the right checksum: ${list(present)}`);
}
