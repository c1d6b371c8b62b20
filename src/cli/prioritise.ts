import { Command, InvalidArgumentError } from 'commander';
import type { Cli, GlobalOptions } from './cli.ts';
import { openHome, withQueue } from './open-home.ts';
import { parseJobId } from './parse-arguments.ts';
import { sendCommand } from './send-command.ts';

/** `framekiln prioritise`: higher priorities run first; jobs of equal priority run in the order of their IDs. */
export function prioritiseCommand(cli: Cli): Command {
  return new Command('prioritise')
    .alias('prioritize')
    .description('Change the priority of a job (default: 0); jobs with a higher priority run first')
    .argument('<id>', 'job ID, as shown by framekiln status', parseJobId)
    .argument('<priority>', 'a whole number', parsePriority)
    .action(async (jobId: number, priority: number, _, command: Command) => {
      const { home } = openHome(cli, command.optsWithGlobals<GlobalOptions>());
      const request = { kind: 'prioritise', jobId, argument: priority } as const;
      await withQueue(home, (queue) => sendCommand(cli, { queue, lockFile: home.lockFile }, request));
    });
}

function parsePriority(text: string): number {
  const priority = Number(text);
  if (!Number.isSafeInteger(priority)) throw new InvalidArgumentError('Expected a whole number.');
  return priority;
}
