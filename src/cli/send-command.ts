import { setTimeout as delay } from 'node:timers/promises';
import { ExitCode } from '../domain/exit-codes.ts';
import type { NewCommand } from '../queue/command-store.ts';
import { acquireProcessLock } from '../queue/process-lock.ts';
import type { Queue } from '../queue/queue.ts';
import type { Cli } from './cli.ts';

const ANSWER_WITHIN_MS = 3000;
const LOOK_EVERY_MS = 50;

/** Whether a daemon works on the home; it holds the lock as long as it lives, and no longer. */
export function isDaemonRunning(lockFile: string): boolean {
  const lock = acquireProcessLock(lockFile);
  lock?.release();
  return lock === null;
}

/**
 * Leaves a request for the daemon and says what became of it. Without a daemon, or with a busy one, the request waits in
 * the database; that is no failure.
 */
export async function sendCommand(
  cli: Cli,
  place: { readonly queue: Queue; readonly lockFile: string },
  request: Omit<NewCommand, 'nowMs'>,
): Promise<void> {
  const { commands, jobs } = place.queue;
  if (request.jobId !== null && jobs.getJob(request.jobId) === null) {
    cli.complain(`There is no job ${request.jobId}; \`framekiln status\` shows those that there are.`);
    cli.exitCode = ExitCode.failed;
    return;
  }
  const id = commands.insertCommand({ ...request, nowMs: cli.now() });
  if (!isDaemonRunning(place.lockFile)) {
    cli.print('The daemon is not running; this will be carried out when it starts.');
    return;
  }
  const giveUpAtMs = cli.now() + ANSWER_WITHIN_MS;
  while (cli.now() < giveUpAtMs) {
    const outcome = commands.getOutcome(id);
    if (outcome !== null) {
      if (outcome.succeeded) cli.print(outcome.result);
      else {
        cli.complain(outcome.result);
        cli.exitCode = ExitCode.failed;
      }
      return;
    }
    await delay(LOOK_EVERY_MS);
  }
  cli.print('The daemon is busy and has not answered yet; it will carry this out when it can.');
}
