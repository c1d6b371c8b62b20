import { join } from 'node:path';
import { Command } from 'commander';
import { ExitCode } from '../domain/exit-codes.ts';
import type { NamedCheckResult } from '../hardware/check.ts';
import { visibleText } from '../lib/visible-text.ts';
import { writeFileDurably } from '../workspace/durable-file.ts';
import { checkEnvironment } from './check-environment.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { openHome } from './open-home.ts';

/** `framekiln doctor`: what is wrong with this machine, and how to mend it. */
export function doctorCommand(cli: Cli): Command {
  return new Command('doctor')
    .description('check this machine, and say how to mend what is wrong')
    .option('--json', 'as JSON')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { json?: true }>();
      const { home, settings } = openHome(cli, options);
      const checks = await checkEnvironment(home, settings, settings.recipe.network);
      const usable = checks.every(({ status }) => status !== 'fail');
      const report = JSON.stringify({ home: home.root, usable, checks }, null, 2);
      await writeFileDurably(join(home.logs, 'doctor.json'), `${report}\n`);
      if (options.json) cli.print(report);
      else for (const line of checks.flatMap(formatCheck)) cli.print(line);
      if (!usable) cli.exitCode = ExitCode.environment;
    });
}

/** A line for what was found, and one for the remedy where there is one. */
export function formatCheck({ name, status, found, remedy }: NamedCheckResult): string[] {
  const lines = [`${status.padEnd(4)}  ${name.padEnd(12)}  ${visibleText(found)}`];
  if (remedy !== null) lines.push(`${' '.repeat(20)}→ ${remedy}`);
  return lines;
}
