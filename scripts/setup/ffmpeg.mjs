import { statSync } from 'node:fs';
import { join } from 'node:path';
import { aptInstall } from './apt.mjs';
import { reportStep, SetupError } from './report.mjs';
import { findOnPath, runCommand } from './run-command.mjs';
import { readStamp, writeStamp } from './stamp.mjs';

const PROGRAMS = ['ffmpeg', 'ffprobe'];
const MAJOR = 5;
const MINOR = 1;

/**
 * Makes sure that ffmpeg and ffprobe are installed and new enough. Their versions are checked once, and again when the
 * files change.
 *
 * @param {string} root the project's folder
 * @throws {SetupError}
 */
export async function ensureFfmpeg(root) {
  const stampFile = join(root, 'node_modules', '.framekiln-ffmpeg.json');
  const known = readStamp(stampFile);
  const identity = identify();
  if (identity !== null && known === identity) return;

  if (identity === null) await reportStep('Installing ffmpeg with apt', install);
  for (const program of PROGRAMS) await checkVersion(program);
  writeStamp(stampFile, identify());
}

async function install() {
  if ((await aptInstall(['ffmpeg'])) && identify() !== null) return;
  const missing = PROGRAMS.filter((program) => findOnPath(program) === null).join(' and no ');
  throw new SetupError(
    `Framekiln needs ffmpeg and ffprobe ${MAJOR}.${MINOR} or newer, but there is no ${missing} on PATH; install them with your package manager (Debian, Ubuntu: \`sudo apt-get install ffmpeg\`) and try again.`,
  );
}

/** Paths, sizes and modification times of both programs as one text; null when one of them is missing. */
function identify() {
  const parts = PROGRAMS.map((program) => {
    const path = findOnPath(program);
    if (path === null) return null;
    const { size, mtimeMs } = statSync(path);
    return `${path} ${size} ${mtimeMs}`;
  });
  return parts.includes(null) ? null : parts.join(', ');
}

async function checkVersion(program) {
  const { ok, output } = await runCommand(program, ['-version']);
  if (!ok) throw new SetupError(`\`${program} -version\` failed:\n${output.trimEnd()}`);
  if (isTooOld(output)) {
    throw new SetupError(
      `Framekiln needs ${program} ${MAJOR}.${MINOR} or newer, but PATH has ${output.split(' Copyright')[0]}; install a newer one and try again.`,
    );
  }
}

/**
 * @param {string} output of `ffmpeg -version`
 * @returns {boolean} false for a build without a version number (`N-109542-g…`), which is one of the newest source
 */
export function isTooOld(output) {
  const match = /version n?(\d+)\.(\d+)/.exec(output);
  if (!match) return false;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major < MAJOR || (major === MAJOR && minor < MINOR);
}
