import { SetupError } from './report.mjs';

const MAJOR = 20;
const MINOR = 19;

/**
 * @param {string} version such as `20.20.2`
 * @throws {SetupError}
 */
export function checkNodeVersion(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > MAJOR || (major === MAJOR && minor >= MINOR)) return;
  throw new SetupError(
    `Framekiln needs Node ${MAJOR}.${MINOR} or newer, and this is ${version}; install a newer one from https://nodejs.org and try again.`,
  );
}
