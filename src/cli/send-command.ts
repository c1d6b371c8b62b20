import { sendRequest, type Request } from '../control/send-request.ts';
import { isDaemonRunning } from '../daemon/is-daemon-running.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import type { Queue } from '../queue/queue.ts';
import type { Cli } from './cli.ts';

/**
 * Sends a request to the daemon and prints the outcome. If no daemon is running, or it is busy, the request waits in the
 * database; that is not an error.
 */
export async function sendCommand(
  cli: Cli,
  { queue, lockFile }: { readonly queue: Queue; readonly lockFile: string },
  request: Request,
): Promise<void> {
  const targets = { queue, now: cli.now, isDaemonRunning: () => isDaemonRunning(lockFile) };
  const { kind, sentence } = await sendRequest(targets, request);
  if (kind === 'rejected' || kind === 'unknown-job') {
    cli.complain(sentence);
    cli.exitCode = ExitCode.failed;
  } else cli.print(sentence);
}
