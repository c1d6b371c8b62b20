import { SetupError } from './report.mjs';

/** The same range as `engines` in package.json. `npm run test:node-versions` tests its ends and what is between them. */
const OLDEST = { major: 20, minor: 19 };
const NEWEST_MAJOR = 24;
const RANGE = `${OLDEST.major}.${OLDEST.minor} to ${NEWEST_MAJOR}`;

/**
 * @param {string} version such as `20.20.2`
 * @returns {string | null} a warning for a version that is newer than those that are tested
 * @throws {SetupError} for a version that is too old
 */
export function checkNodeVersion(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)) {
    throw new SetupError(
      `Node ${version} is too old: Framekiln supports Node ${RANGE}; install a newer one from https://nodejs.org and try again.`,
    );
  }
  if (major <= NEWEST_MAJOR) return null;
  return `Node ${version} is newer than the versions that Framekiln is tested with (${RANGE}); if something fails, try Node ${NEWEST_MAJOR}.`;
}
