import { failed, passed, type CheckResult } from '../check.ts';

const MAJOR = 20;
const MINOR = 19;

/** Checks the version of Node. @param version such as `20.20.2` */
export function checkNodeVersion(version: string): CheckResult {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > MAJOR || (major === MAJOR && minor >= MINOR)) return passed(`Node ${version}`);
  return failed(
    `Node ${version} is older than ${MAJOR}.${MINOR}`,
    'Install a newer version of Node from https://nodejs.org.',
  );
}
