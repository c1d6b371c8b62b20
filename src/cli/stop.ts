import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { isDaemonRunning } from '../daemon/is-daemon-running.ts';
import { codeOf } from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { isInOwnNamespace, isOwnerAlive, parseOwner } from '../lib/process/process-identity.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { openHome, withQueue } from './open-home.ts';

/** A daemon stops within 1.5 s, except on a machine that is overloaded. */
const PATIENCE_MS = 15_000;
const LOOK_EVERY_MS = 50;

/** `framekiln stop`: stops the daemon of the home as Ctrl-C does, and waits until it has stopped. */
export function stopCommand(cli: Cli): Command {
  return new Command('stop')
    .description('Stop the daemon; unfinished jobs resume from their last checkpoint when it starts again')
    .action(async (_, command: Command) => {
      const { home } = openHome(cli, command.optsWithGlobals<GlobalOptions>());
      if (!isDaemonRunning(home.lockFile)) {
        cli.print('The daemon is not running.');
        return;
      }
      const owner = await withQueue(home, (queue) => queue.home.daemon());
      const failure = askToStop(owner);
      if (failure !== null || !(await hasStopped(home.lockFile))) {
        cli.complain(failure ?? `The daemon did not stop within ${PATIENCE_MS / 1000} s.`);
        cli.exitCode = ExitCode.failed;
      } else cli.print('The daemon has stopped; unfinished jobs will resume from their last checkpoint.');
    });
}

/** @param owner owner string of the daemon @returns why the daemon cannot be asked, or null */
function askToStop(owner: string | null): string | null {
  const identity = owner === null || !isOwnerAlive(owner) ? null : parseOwner(owner);
  if (owner === null || identity === null || !isInOwnNamespace(owner))
    return 'The daemon runs in another container or on another machine; stop it there.';
  try {
    process.kill(identity.pid, 'SIGTERM');
    return null;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return null;
    if (codeOf(error) === 'EPERM') return `The daemon (process ${identity.pid}) belongs to another user.`;
    throw error;
  }
}

async function hasStopped(lockFile: string): Promise<boolean> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (isDaemonRunning(lockFile)) {
    if (performance.now() > deadlineMs) return false;
    await delay(LOOK_EVERY_MS);
  }
  return true;
}
