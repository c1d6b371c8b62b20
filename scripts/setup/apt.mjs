import { SetupError } from './report.mjs';
import { findOnPath, runCommand } from './run-command.mjs';

/**
 * Installs Debian packages where that is possible without a password prompt.
 *
 * @param {string[]} packages
 * @returns {Promise<boolean>} false without apt, or without the right to use it
 * @throws {SetupError} when apt fails
 */
export async function aptInstall(packages) {
  if (!findOnPath('apt-get')) return false;
  const prefix = await rootPrefix();
  if (!prefix) return false;
  const apt = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    const [program, ...rest] = [...apt, ...args];
    const { ok, output } = await runCommand(program, rest);
    if (!ok) throw new SetupError(`\`apt-get ${args.join(' ')}\` failed:\n${output.trimEnd()}`);
  }
  return true;
}

async function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  if (!findOnPath('sudo')) return null;
  const { ok } = await runCommand('sudo', ['-n', 'true']);
  return ok ? ['sudo', '-n'] : null;
}
