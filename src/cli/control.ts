import { Command } from 'commander';
import type { Cli, GlobalOptions } from './cli.ts';
import { openHome, withQueue } from './open-home.ts';
import { parseJobId } from './parse-arguments.ts';
import { sendCommand } from './send-command.ts';

const ID = 'number of the job, as `framekiln status` shows it';

const CONTROLS = [
  {
    kind: 'pause',
    argument: '[id]',
    does: 'stop a job, or without a number the queue; checkpoints are kept',
  },
  { kind: 'resume', argument: '[id]', does: 'let a paused job, or without a number the queue, go on' },
  { kind: 'cancel', argument: '<id>', does: 'give up a job and delete its checkpoints' },
  { kind: 'retry', argument: '<id>', does: 'queue a failed, cancelled or finished job again' },
] as const;

/** `framekiln pause`, `resume`, `cancel` and `retry`, which differ in nothing but their request. */
export function controlCommands(cli: Cli): Command[] {
  return CONTROLS.map(({ kind, argument, does }) =>
    new Command(kind)
      .description(does)
      .argument(argument, ID, parseJobId)
      .action(async (id: number | undefined, _, command: Command) => {
        const { home } = openHome(cli, command.optsWithGlobals<GlobalOptions>());
        const request = { kind, jobId: id ?? null, argument: null };
        await withQueue(home, (queue) => sendCommand(cli, { queue, lockFile: home.lockFile }, request));
      }),
  );
}
