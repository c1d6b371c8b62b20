import { Command } from 'commander';
import type { Cli, GlobalOptions } from './cli.ts';
import { openHome, withQueue } from './open-home.ts';
import { parseJobId } from './parse-arguments.ts';
import { sendCommand } from './send-command.ts';

const ID = 'job ID, as shown by framekiln status';

const CONTROLS = [
  {
    kind: 'pause',
    argument: '[id]',
    does: 'Pause a job or the whole queue; checkpoints are kept',
  },
  { kind: 'resume', argument: '[id]', does: 'Resume a paused job or the whole queue' },
  { kind: 'cancel', argument: '<id>', does: 'Cancel a job and delete its checkpoints' },
  { kind: 'retry', argument: '<id>', does: 'Queue a failed, cancelled or finished job again' },
] as const;

/** `framekiln pause`, `resume`, `cancel` and `retry`, which differ only in the request they send. */
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
