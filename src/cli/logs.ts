import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { childEnvironment } from '../config/environment.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { spawnChild } from '../lib/process/spawn-child.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { makeHome } from './open-home.ts';
import { parsePositive } from './parse-arguments.ts';

interface LogsOptions extends GlobalOptions {
  readonly follow?: true;
  readonly lines: number;
}

/** `framekiln logs`: prints the end of the log file, and with `-f` what is added to it. */
export function logsCommand(cli: Cli): Command {
  return new Command('logs')
    .description('Print the latest lines of the log')
    .option('-f, --follow', 'continue with new lines until Ctrl-C')
    .option('-n, --lines <number>', 'number of lines', parsePositive, 100)
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<LogsOptions>();
      const file = join(makeHome(options).logs, 'framekiln.log');
      if (!existsSync(file) && options.follow !== true) {
        cli.complain(`There is no log yet: ${file} appears when the daemon is first started.`);
        cli.exitCode = ExitCode.failed;
        return;
      }
      // `-F` also follows the file that replaces a rotated one.
      const follow = options.follow === true ? ['-F'] : [];
      const args = [...follow, '-q', '-n', String(options.lines), '--', file];
      const { exitCode, signal } = await spawnChild(
        ['tail', ...args],
        { env: childEnvironment() },
        { stdio: 'inherit' },
      );
      // Ctrl-C is how one stops to follow.
      if (exitCode !== 0 && signal !== 'SIGINT') cli.exitCode = ExitCode.failed;
    });
}
