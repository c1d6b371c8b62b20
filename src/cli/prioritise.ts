import { Command, InvalidArgumentError } from 'commander';
import type { Cli, GlobalOptions } from './cli.ts';
import { openHome, withQueue } from './open-home.ts';
import { parseJobId } from './parse-arguments.ts';
import { sendCommand } from './send-command.ts';

/** `framekiln prioritise`: higher goes first; jobs of equal priority go by arrival. */
export function prioritiseCommand(cli: Cli): Command {
  return new Command('prioritise')
    .description('change the order of the queue: a higher number goes first, 0 is usual')
    .argument('<id>', 'number of the job, as `framekiln status` shows it', parseJobId)
    .argument('<priority>', 'a whole number', parsePriority)
    .action(async (jobId: number, priority: number, _, command: Command) => {
      const { home } = openHome(cli, command.optsWithGlobals<GlobalOptions>());
      const request = { kind: 'prioritise', jobId, argument: priority } as const;
      await withQueue(home, (queue) => sendCommand(cli, { queue, lockFile: home.lockFile }, request));
    });
}

function parsePriority(text: string): number {
  const priority = Number(text);
  if (!Number.isSafeInteger(priority)) throw new InvalidArgumentError('A priority is a whole number.');
  return priority;
}
