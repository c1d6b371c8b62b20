import { toError } from '../../domain/errors.ts';
import { failed, passed, type CheckResult } from '../check.ts';

const MAJOR = 5;
const MINOR = 1;

/**
 * Checks that a program is installed and recent enough.
 *
 * @param readVersion returns the output of `program -version`, or throws
 */
export async function checkFfmpeg(
  program: 'ffmpeg' | 'ffprobe',
  readVersion: () => Promise<string>,
): Promise<CheckResult> {
  const remedy = `Install ffmpeg ${MAJOR}.${MINOR} or newer (Debian, Ubuntu: sudo apt-get install ffmpeg).`;
  let output: string;
  try {
    output = await readVersion();
  } catch (error) {
    return failed(toError(error).message, remedy);
  }
  const name = output.split(' Copyright')[0]?.split('\n')[0]?.trim() ?? '';
  // Development builds have no version number: `N-109542-g…`.
  const [, major, minor] = /version n?(\d+)\.(\d+)/.exec(name) ?? [];
  const tooOld = Number(major) < MAJOR || (Number(major) === MAJOR && Number(minor) < MINOR);
  return tooOld ? failed(`${program} is too old: ${name}`, remedy) : passed(name);
}
