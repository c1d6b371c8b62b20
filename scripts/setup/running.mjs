import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SetupError } from './report.mjs';

/** Scripts of the processes that load files of dist/ and node_modules/ for as long as they run. */
const SCRIPTS = ['dist/main.js', 'dist/worker/entry.js', 'scripts/start.mjs'];

/**
 * Call this before replacing files that a running daemon may still load: it starts its workers from them.
 *
 * @param {string} root the project's folder
 * @throws {SetupError} if Framekiln runs from this folder
 */
export function assertNotRunning(root) {
  const pids = runningFrom(root);
  if (pids.length === 0) return;
  throw new SetupError(
    `Framekiln is running from this folder (${pids.length === 1 ? 'process' : 'processes'} ${pids.join(', ')}), and this command has to replace program files that it uses; stop it, then run this command again.`,
  );
}

/** Pids of the other processes that run the program in this folder. */
function runningFrom(root) {
  const scripts = new Set(SCRIPTS.map((script) => join(realpathSync(root), script)));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => argumentsOf(pid).some((path) => scripts.has(path)));
}

/** The arguments of a process as absolute paths; none of one that has ended or belongs to another user. */
function argumentsOf(pid) {
  try {
    const folder = readlinkSync(`/proc/${pid}/cwd`);
    const [, ...rest] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return rest.filter((each) => each !== '').map((each) => realPath(resolve(folder, each)));
  } catch {
    return [];
  }
}

function realPath(path) {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
