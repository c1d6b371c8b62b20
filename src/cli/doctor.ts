import { join } from 'node:path';
import { Command } from 'commander';
import { ExitCode } from '../domain/exit-codes.ts';
import type { NamedCheckResult } from '../hardware/check.ts';
import { visibleText } from '../lib/visible-text.ts';
import { writeFileDurably } from '../workspace/durable-file.ts';
import { checkEnvironment } from './check-environment.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { makeHome, openHome } from './open-home.ts';
import { probeMachine } from './probe-machine.ts';

/** `framekiln doctor`: checks this machine and suggests fixes. */
export function doctorCommand(cli: Cli): Command {
  return new Command('doctor')
    .description('Check this machine and suggest fixes')
    .option('--json', 'print as JSON')
    .option('--probe', 'repeat the hardware trials even if nothing changed')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { json?: true; probe?: true }>();
      const tell = (sentence: string): void => cli.complain(sentence);
      const facts = await probeMachine(makeHome(options), tell, options.probe === true);
      const { home, settings, faults } = openHome(cli, options);
      const checks = await checkEnvironment({ home, settings, faults, facts }, settings.recipe.model);
      const usable = checks.every(({ status }) => status !== 'fail');
      const report = JSON.stringify({ home: home.root, usable, checks, hardware: facts }, null, 2);
      await writeFileDurably(join(home.logs, 'doctor.json'), `${report}\n`);
      if (options.json) cli.print(report);
      else for (const line of checks.flatMap(formatCheck)) cli.print(line);
      if (!usable) cli.exitCode = ExitCode.environment;
    });
}

/** One line for the result of a check, and one for its remedy if there is one. */
export function formatCheck({ name, status, found, remedy }: NamedCheckResult): string[] {
  const lines = [`${status.padEnd(4)}  ${name.padEnd(12)}  ${visibleText(found)}`];
  if (remedy !== null) lines.push(`${' '.repeat(20)}→ ${remedy}`);
  return lines;
}
