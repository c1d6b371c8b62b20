import { setTimeout as delay } from 'node:timers/promises';
import { isDaemonRunning } from '../daemon/is-daemon-running.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import type { NewCommand } from '../queue/command-store.ts';
import type { Queue } from '../queue/queue.ts';
import type { Cli } from './cli.ts';

const ANSWER_WITHIN_MS = 3000;
const LOOK_EVERY_MS = 50;

/**
 * Sends a request to the daemon and prints the outcome. If no daemon is running, or it is busy, the request waits in the
 * database; that is not an error.
 */
export async function sendCommand(
  cli: Cli,
  place: { readonly queue: Queue; readonly lockFile: string },
  request: Omit<NewCommand, 'nowMs'>,
): Promise<void> {
  const { commands, jobs } = place.queue;
  if (request.jobId !== null && jobs.getJob(request.jobId) === null) {
    cli.complain(`There is no job ${request.jobId}; to list the jobs: framekiln status`);
    cli.exitCode = ExitCode.failed;
    return;
  }
  const id = commands.insertCommand({ ...request, nowMs: cli.now() });
  if (!isDaemonRunning(place.lockFile)) {
    cli.print('The daemon is not running; the command takes effect when the daemon starts.');
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
  cli.print('The daemon is busy; it will carry out the command as soon as it can.');
}
