import { sessionEnvironment } from '../config/environment.ts';
import { ServiceManagerError } from '../domain/errors.ts';
import { runCaptured } from '../lib/process/captured-process.ts';
import { spawnChild } from '../lib/process/spawn-child.ts';

export const UNIT = 'framekiln.service';
/** Starting a service takes as long as the daemon needs to clean up after a crash. */
const TIMEOUT_MS = 120_000;

/** Runs systemctl for the services of this user. @throws ServiceManagerError if it fails */
export async function systemctl(...args: readonly string[]): Promise<string> {
  const command = ['systemctl', '--user', ...args];
  const { outcome, exitCode, stdout, stderr } = await runCaptured(command, {
    ...{ env: sessionEnvironment(), timeoutMs: TIMEOUT_MS },
  });
  if (outcome === 'not-found')
    throw new ServiceManagerError(
      'NO_SYSTEMD',
      'systemctl was not found, so there are no services here; start the daemon with framekiln start.',
    );
  if (exitCode === 0) return stdout;
  const said = stderr.trim() || `it ended with ${exitCode === null ? outcome : `exit code ${exitCode}`}`;
  throw new ServiceManagerError('SYSTEMD_FAILED', `${command.join(' ')} failed: ${said}`);
}

/** Properties of the service, by name. A unit that does not exist has `LoadState` `not-found`. */
export async function serviceProperties(...names: readonly string[]): Promise<Record<string, string>> {
  const text = await systemctl('show', UNIT, `--property=${names.join(',')}`);
  const pairs = text.split('\n').filter((line) => line.includes('='));
  return Object.fromEntries(
    pairs.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** Whether the services of this user run while the user is not logged in; null if that is unknown. */
export async function isLingering(): Promise<boolean | null> {
  const command = ['loginctl', 'show-user', String(process.getuid?.() ?? 0), '--property=Linger'];
  const { stdout } = await runCaptured(command, { env: sessionEnvironment(), timeoutMs: 10_000 });
  const found = /^Linger=(yes|no)$/m.exec(stdout)?.[1];
  return found === undefined ? null : found === 'yes';
}

/** Prints the log of the service to the terminal. @returns the exit code of journalctl */
export async function journal(lines: number, follows: boolean): Promise<number> {
  const args = [
    '--user',
    `--unit=${UNIT}`,
    '--no-pager',
    `--lines=${lines}`,
    ...(follows ? ['--follow'] : []),
  ];
  const child = spawnChild(['journalctl', ...args], { env: sessionEnvironment() }, { stdio: 'inherit' });
  const { code, exitCode, signal } = await child;
  if (code === 'ENOENT') throw new ServiceManagerError('NO_SYSTEMD', 'journalctl was not found.');
  // Ctrl-C is how one stops to follow.
  return signal === 'SIGINT' ? 0 : (exitCode ?? 1);
}
