import { Command } from 'commander';
import { exampleFile } from '../config/example-file.ts';
import type { LoadedSettings } from '../config/load-settings.ts';
import { describeSetting, settingKeys } from '../config/setting-keys.ts';
import { nearestKey } from '../config/describe-issue.ts';
import { ConfigurationError } from '../domain/errors.ts';
import { changeSettings, describeChange, shownValue } from '../control/change-settings.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { formatTable } from './format-table.ts';
import { openHome } from './open-home.ts';

interface ShowOptions extends GlobalOptions {
  readonly why?: string;
  readonly json?: true;
}

/** `framekiln config`: shows settings and their origins, and changes them. */
export function configCommand(cli: Cli): Command {
  const config = new Command('config').description('Show and change settings');
  config
    .command('show')
    .description('Show the settings and where each comes from')
    .option('--why <key>', 'explain one setting, e.g. encoder.crf')
    .option('--json', 'print as JSON')
    .action((_, command: Command) => {
      const options = command.optsWithGlobals<ShowOptions>();
      const loaded = openHome(cli, options);
      if (options.why !== undefined) for (const line of explain(options.why, loaded)) cli.print(line);
      else if (options.json) cli.print(JSON.stringify(asJson(loaded), null, 2));
      else for (const line of table(loaded)) cli.print(line);
    });
  config
    .command('set')
    .description('Change a setting in framekiln.yaml; comments in the file are kept')
    .argument('<key>', 'setting, e.g. encoder.crf')
    .argument('<value>', 'value, in YAML')
    .action(async (key: string, value: string, _, command: Command) => {
      const { home } = openHome(cli, command.optsWithGlobals<GlobalOptions>());
      await changeSettings(home, [{ key, value }]);
      const origins = openHome(cli, command.optsWithGlobals<GlobalOptions>()).originsOf(key);
      cli.print(describeChange(key, origins, home.configFile));
    });
  config
    .command('unset')
    .description('Remove a setting from framekiln.yaml; comments in the file are kept')
    .argument('<key>', 'setting, e.g. encoder.crf')
    .action(async (key: string, _, command: Command) => {
      const { home } = openHome(cli, command.optsWithGlobals<GlobalOptions>());
      const [before] = await changeSettings(home, [{ key, value: null }]);
      const [first] = openHome(cli, command.optsWithGlobals<GlobalOptions>()).originsOf(key);
      const was = before?.value == null ? 'was not set' : 'is no longer set';
      cli.print(
        `${key} ${was} in ${home.configFile}; it is ${shownValue(first?.value)} (${first?.place ?? 'default'}).`,
      );
    });
  config
    .command('example')
    .description('Print framekiln.example.yaml, which documents every setting')
    .action(() => cli.print(exampleFile().trimEnd()));
  return config;
}

function table({ originsOf }: LoadedSettings): string[] {
  const rows = settingKeys().flatMap((key) => {
    const [first] = originsOf(key);
    return first?.value === undefined ? [] : [[key, shownValue(first.value), first.place]];
  });
  return formatTable(['setting', 'value', 'from'], rows);
}

function asJson({ originsOf }: LoadedSettings): unknown {
  return Object.fromEntries(settingKeys().map((key) => [key, originsOf(key)]));
}

/** Lines that explain a setting: its effective value, then the values that it overrides. */
function explain(key: string, { originsOf }: LoadedSettings): string[] {
  if (!settingKeys().includes(key)) {
    const nearest = nearestKey(key, settingKeys()) ?? settingKeys().find((each) => each.endsWith(`.${key}`));
    const hint = nearest === undefined ? '' : ` (did you mean ${nearest}?)`;
    throw new ConfigurationError(`${key} is not a setting${hint}.`, []);
  }
  const lines = originsOf(key).map(({ value, place, reason }, i) => {
    const why = reason === null ? '' : `: ${reason}`;
    return `${i === 0 ? 'effective' : 'overrides'}: ${shownValue(value)} (from ${place}${why})`;
  });
  return [`${key}: ${describeSetting(key)}`, ...lines];
}
