import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { searchPath, userUnitFolder } from '../config/environment.ts';
import { isDaemonRunning } from '../daemon/is-daemon-running.ts';
import { ConfigurationError } from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { counted } from '../lib/counted.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { makeHome } from './open-home.ts';
import { parsePositive } from './parse-arguments.ts';
import { homeOfUnit, serviceUnit } from './service-unit.ts';
import { isLingering, journal, serviceProperties, systemctl, UNIT } from './systemd.ts';

const INSTALL = 'to install it: framekiln service install';

/** `framekiln service`: runs the daemon as a systemd service of this user. */
export function serviceCommand(cli: Cli): Command {
  const service = new Command('service').description('Run the daemon as a systemd service of this user');
  service
    .command('install')
    .description('Install the service for this home and start it; it starts again at every login')
    .action((_, command: Command) => install(cli, command.optsWithGlobals<GlobalOptions>()));
  service
    .command('status')
    .description('Show whether the service is running; the exit code is 0 if it is')
    .action(() => showStatus(cli));
  service
    .command('logs')
    .description('Print the log of the service from the journal')
    .option('-f, --follow', 'continue with new lines until Ctrl-C')
    .option('-n, --lines <number>', 'number of lines', parsePositive, 100)
    .action(async ({ follow, lines }: { follow?: true; lines: number }) => {
      if ((await journal(lines, follow === true)) !== 0) cli.exitCode = ExitCode.failed;
    });
  service
    .command('uninstall')
    .description('Stop and remove the service; the home and its jobs are kept')
    .action(() => uninstall(cli));
  return service;
}

async function install(cli: Cli, options: GlobalOptions): Promise<void> {
  const home = makeHome(options);
  const file = unitFile();
  // Fails here if there is no systemd, so that nothing is written.
  const { ActiveState: state } = await serviceProperties('ActiveState');
  const isActive = state === 'active';
  const installed = await readOrNull(file);
  const other = installed === null ? null : homeOfUnit(installed);
  if (other !== null && other !== home.root)
    throw new ConfigurationError(
      `The service is installed for the home ${other}; to remove it: framekiln service uninstall`,
      [],
    );
  if (!isActive && isDaemonRunning(home.lockFile))
    throw new ConfigurationError(
      `A daemon is already running on ${home.root}; to stop it: framekiln stop`,
      [],
    );
  await mkdir(userUnitFolder(), { recursive: true });
  await writeFile(file, serviceUnit({ homeRoot: home.root, node: process.execPath, path: searchPath() }));
  await systemctl('daemon-reload');
  await systemctl('enable', UNIT);
  await systemctl('restart', UNIT);
  cli.print(`The service is running for the home ${home.root} (${file}).`);
  if ((await isLingering()) === false)
    cli.print('It stops when you log out; to keep it running and start it at boot: loginctl enable-linger');
}

async function showStatus(cli: Cli): Promise<void> {
  const names = ['LoadState', 'ActiveState', 'SubState', 'Result', 'MainPID', 'NRestarts', 'UnitFileState'];
  const found = await serviceProperties(...names, 'ActiveEnterTimestamp');
  if (found['LoadState'] === 'not-found') {
    cli.print(`The service is not installed; ${INSTALL}`);
    cli.exitCode = ExitCode.failed;
    return;
  }
  const isActive = found['ActiveState'] === 'active';
  const home = homeOfUnit((await readOrNull(unitFile())) ?? '');
  const result = found['Result'] === 'success' ? '' : `, ${found['Result'] ?? ''}`;
  cli.print(
    isActive
      ? `The service has been running since ${found['ActiveEnterTimestamp'] ?? ''} (process ${found['MainPID'] ?? ''}, restarted ${counted(Number(found['NRestarts']), 'time')}).`
      : `The service is not running (${found['ActiveState'] ?? ''}: ${found['SubState'] ?? ''}${result}); to see why: framekiln service logs`,
  );
  const start = (await isLingering()) === true ? 'boot' : 'login';
  cli.print(
    `It ${found['UnitFileState'] === 'enabled' ? `starts at ${start}` : 'does not start by itself'}${home === null ? '' : `; its home is ${home}`}.`,
  );
  if (!isActive) cli.exitCode = ExitCode.failed;
}

async function uninstall(cli: Cli): Promise<void> {
  const file = unitFile();
  if (!existsSync(file)) {
    cli.print(`The service is not installed; ${INSTALL}`);
    return;
  }
  await systemctl('disable', '--now', UNIT);
  await rm(file);
  await systemctl('daemon-reload');
  cli.print('The service is stopped and removed; the home and its jobs are kept.');
}

function unitFile(): string {
  return join(userUnitFolder(), UNIT);
}

async function readOrNull(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissingFile(error)) return null;
    throw error;
  });
}
