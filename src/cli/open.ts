import { Command } from 'commander';
import { userEnvironment } from '../config/environment.ts';
import { isDaemonRunning } from '../daemon/is-daemon-running.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { runCaptured } from '../lib/process/captured-process.ts';
import { pageAddress } from '../page/address.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { openHome } from './open-home.ts';

const TIMEOUT_MS = 30_000;

/** `framekiln open`: opens the page in the browser of this desktop. */
export function openCommand(cli: Cli): Command {
  return new Command('open')
    .description('Open the web page in the browser')
    .action(async (_, command: Command) => {
      const { home, settings } = openHome(cli, command.optsWithGlobals<GlobalOptions>());
      // Without the token, which other users could read in the arguments: on this machine none is needed.
      const address = pageAddress(settings.page);
      const whyNot = !settings.page.enabled
        ? 'The page is switched off; to switch it on: framekiln config set page.enabled true'
        : !isDaemonRunning(home.lockFile)
          ? 'The daemon, which serves the page, is not running; to start it: framekiln start'
          : await whyNotOpened(address);
      if (whyNot === null) cli.print(`Opened ${address} in the browser.`);
      else {
        cli.complain(whyNot);
        cli.exitCode = ExitCode.failed;
      }
    });
}

/** @returns why no browser was started, or null */
async function whyNotOpened(address: string): Promise<string | null> {
  const { outcome, exitCode } = await runCaptured(['xdg-open', address], {
    ...{ env: userEnvironment(), timeoutMs: TIMEOUT_MS },
  });
  if (exitCode === 0) return null;
  const why = outcome === 'not-found' ? 'xdg-open was not found' : 'xdg-open could not start a browser';
  return `Cannot open the page: ${why}; open ${address} yourself; for other machines, run: framekiln page`;
}
