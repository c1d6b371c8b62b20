import { Command } from 'commander';
import { pageAddress } from '../page/address.ts';
import { readToken } from '../page/guard/token.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { openHome } from './open-home.ts';

/** `framekiln page`: prints the address of the page, with the token that other machines and users need. */
export function pageCommand(cli: Cli): Command {
  return new Command('page')
    .description('Print the address of the web page with its token')
    .action(async (_, command: Command) => {
      const { home, settings } = openHome(cli, command.optsWithGlobals<GlobalOptions>());
      if (!settings.page.enabled)
        cli.complain('The page is switched off; to switch it on: framekiln config set page.enabled true');
      // A browser keeps what follows # to itself, so the token appears in no log.
      cli.print(`${pageAddress(settings.page)}#token=${await readToken(home)}`);
    });
}
