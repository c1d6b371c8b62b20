import { Command, CommanderError } from 'commander';
import { programVersion } from '../config/program-version.ts';
import { FramekilnError, toError } from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { visibleText } from '../lib/visible-text.ts';
import { addCommand } from './add.ts';
import { benchCommand } from './bench.ts';
import type { Cli } from './cli.ts';
import { clusterCommand } from './cluster.ts';
import { completionCommand } from './completion.ts';
import { configCommand } from './config.ts';
import { controlCommands } from './control.ts';
import { doctorCommand } from './doctor.ts';
import { exitCodeFor } from './exit-code-for.ts';
import { gpuCommand } from './gpu.ts';
import { hooksCommand } from './hooks.ts';
import { logsCommand } from './logs.ts';
import { modelsCommand } from './models.ts';
import { openCommand } from './open.ts';
import { pageCommand } from './page.ts';
import { prioritiseCommand } from './prioritise.ts';
import { runCommand } from './run.ts';
import { serviceCommand } from './service.ts';
import { startCommand } from './start.ts';
import { statusCommand } from './status.ts';
import { stopCommand } from './stop.ts';
import { tryCommand } from './try.ts';
import { workerCommand } from './worker.ts';

/**
 * Runs one command line to its end.
 *
 * @param args without the program's name
 * @returns the exit code; errors have been printed to standard error
 */
export async function runCli(args: readonly string[]): Promise<ExitCode> {
  const cli: Cli = {
    print: (line) => void process.stdout.write(`${line}\n`),
    complain: (line) => void process.stderr.write(`${line}\n`),
    interactive: process.stdout.isTTY,
    // A terminal whose size is unknown has 0.
    columns: process.stdout.isTTY ? process.stdout.columns || Infinity : Infinity,
    now: Date.now,
    exitCode: ExitCode.ok,
  };
  try {
    await createProgram(cli).parseAsync(args, { from: 'user' });
  } catch (error) {
    // commander has already printed the error or the help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
    tell(cli, error);
    return exitCodeFor(error);
  }
  return cli.exitCode;
}

/** Creates the command line. Its `parseAsync` throws CommanderError for errors that commander has already printed. */
export function createProgram(cli: Cli): Command {
  const program = new Command('framekiln')
    .version(programVersion())
    .description('Upscale the videos in a watch folder. Interrupted jobs resume from their last checkpoint.')
    .option('--home <folder>', 'folder that holds input/, output/, logs/, models/ and framekiln.yaml')
    .option(
      '--set <key=value>',
      'override a setting for this command, e.g. encoder.crf=20 (repeatable)',
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
    );
  const commands = [
    startCommand(cli),
    stopCommand(cli),
    runCommand(cli),
    tryCommand(cli),
    addCommand(cli),
    statusCommand(cli),
    ...controlCommands(cli),
    prioritiseCommand(cli),
    modelsCommand(cli),
    gpuCommand(cli),
    configCommand(cli),
    benchCommand(cli),
    doctorCommand(cli),
    pageCommand(cli),
    openCommand(cli),
    logsCommand(cli),
    hooksCommand(cli),
    serviceCommand(cli),
    clusterCommand(cli),
    workerCommand(cli),
    completionCommand(cli),
  ];
  for (const command of commands) program.addCommand(command);
  for (const command of [program, ...commands, ...commands.flatMap((each) => each.commands)]) {
    command
      .exitOverride()
      .configureHelp({ showGlobalOptions: true })
      .showHelpAfterError('Run with --help for usage.');
  }
  return program;
}

/** Prints an expected error as a sentence and an unexpected one with its stack. */
function tell(cli: Cli, error: unknown): void {
  if (error instanceof FramekilnError) cli.complain(`${error.code}: ${visibleText(error.message)}`);
  else cli.complain(toError(error).stack ?? String(error));
}
