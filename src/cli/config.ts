import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { exampleFile } from '../config/example-file.ts';
import type { LoadedSettings } from '../config/load-settings.ts';
import { describeSetting, settingKeys } from '../config/setting-keys.ts';
import { withSetting } from '../config/write-setting.ts';
import { nearestKey } from '../config/describe-issue.ts';
import { ConfigurationError } from '../domain/errors.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { writeFileDurably } from '../workspace/durable-file.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { formatTable } from './format-table.ts';
import { openHome } from './open-home.ts';

interface ShowOptions extends GlobalOptions {
  readonly why?: string;
  readonly json?: true;
}

/** A running daemon takes all others up as it goes. */
const NEEDS_RESTART = ['intake.polling', 'log.level'];

/** `framekiln config`: what holds and why, and changing it. */
export function configCommand(cli: Cli): Command {
  const config = new Command('config').description('show and change the settings');
  config
    .command('show')
    .description('what holds, and where it comes from')
    .option('--why <key>', 'everything that is said about one setting, such as encoder.crf')
    .option('--json', 'as JSON')
    .action((_, command: Command) => {
      const options = command.optsWithGlobals<ShowOptions>();
      const loaded = openHome(cli, options);
      if (options.why !== undefined) for (const line of explain(options.why, loaded)) cli.print(line);
      else if (options.json) cli.print(JSON.stringify(asJson(loaded), null, 2));
      else for (const line of table(loaded)) cli.print(line);
    });
  config
    .command('set')
    .description('write a setting into framekiln.yaml; its comments stay')
    .argument('<key>', 'such as encoder.crf')
    .argument('<value>', 'as it would stand in the file')
    .action(async (key: string, value: string, _, command: Command) => {
      const { home } = openHome(cli, command.optsWithGlobals<GlobalOptions>());
      const text = await readFile(home.configFile, 'utf8').catch((error: unknown) => {
        if (isMissingFile(error)) return '';
        throw error;
      });
      await writeFileDurably(home.configFile, withSetting(text, home.configFile, key, value));
      const [first] = openHome(cli, command.optsWithGlobals<GlobalOptions>()).originsOf(key);
      const from = NEEDS_RESTART.includes(key) ? 'from the next start on' : 'from the next job on';
      cli.print(`${key} is ${shown(first?.value)} (${first?.place ?? ''}), ${from}.`);
    });
  config
    .command('example')
    .description('every setting with its meaning, as framekiln.example.yaml has it')
    .action(() => cli.print(exampleFile().trimEnd()));
  return config;
}

function table({ originsOf }: LoadedSettings): string[] {
  const rows = settingKeys().flatMap((key) => {
    const [first] = originsOf(key);
    return first?.value === undefined ? [] : [[key, shown(first.value), first.place]];
  });
  return formatTable(['setting', 'value', 'from'], rows);
}

function asJson({ originsOf }: LoadedSettings): unknown {
  return Object.fromEntries(settingKeys().map((key) => [key, originsOf(key)]));
}

/** The value that holds, then those that it goes before. */
function explain(key: string, { originsOf }: LoadedSettings): string[] {
  if (!settingKeys().includes(key)) {
    const nearest = nearestKey(key, settingKeys()) ?? settingKeys().find((each) => each.endsWith(`.${key}`));
    const hint = nearest === undefined ? '' : ` (did you mean ${nearest}?)`;
    throw new ConfigurationError(`${key} is not a setting${hint}.`, []);
  }
  const lines = originsOf(key).map(({ value, place, reason }, i) => {
    const why = reason === null ? '' : `: ${reason}`;
    return `${i === 0 ? 'holds' : 'behind it'}: ${shown(value)}, from ${place}${why}`;
  });
  return [`${key}: ${describeSetting(key)}`, ...lines];
}

function shown(value: unknown): string {
  if (value === undefined) return 'not set';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
