import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { exampleFile } from '../config/example-file.ts';
import type { Home } from '../config/home.ts';
import type { LoadedSettings, Origin } from '../config/load-settings.ts';
import { describeSetting, NEEDS_RESTART, settingKeys } from '../config/setting-keys.ts';
import { withoutSetting, withSetting } from '../config/write-setting.ts';
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
      const text = await readConfig(home);
      await writeFileDurably(behindLinks(home.configFile), withSetting(text, home.configFile, key, value));
      const origins = openHome(cli, command.optsWithGlobals<GlobalOptions>()).originsOf(key);
      cli.print(describeChange(key, origins, home.configFile));
    });
  config
    .command('unset')
    .description('Remove a setting and the comment directly above it from framekiln.yaml')
    .argument('<key>', 'setting, e.g. encoder.crf')
    .action(async (key: string, _, command: Command) => {
      const { home } = openHome(cli, command.optsWithGlobals<GlobalOptions>());
      const text = await readConfig(home);
      const changed = withoutSetting(text, home.configFile, key);
      if (changed !== text) await writeFileDurably(behindLinks(home.configFile), changed);
      const [first] = openHome(cli, command.optsWithGlobals<GlobalOptions>()).originsOf(key);
      const was =
        changed === text ? `was not set in ${home.configFile}` : `is no longer set in ${home.configFile}`;
      cli.print(`${key} ${was}; it is ${shown(first?.value)} (${first?.place ?? 'default'}).`);
    });
  config
    .command('example')
    .description('Print framekiln.example.yaml, which documents every setting')
    .action(() => cli.print(exampleFile().trimEnd()));
  return config;
}

/** The text of the settings file; empty if there is none. */
async function readConfig({ configFile }: Home): Promise<string> {
  return readFile(configFile, 'utf8').catch((error: unknown) => {
    if (isMissingFile(error)) return '';
    throw error;
  });
}

/** Says when a new value applies, or which value applies instead. */
function describeChange(key: string, origins: readonly Origin[], configFile: string): string {
  const [first] = origins;
  const own = origins.find(({ place }) => place.startsWith(configFile));
  if (first === undefined || own === undefined) return `${key} is not set in ${configFile}.`;
  if (first !== own)
    return `${key} is ${shown(own.value)} (${own.place}), but ${first.place} overrides it with ${shown(first.value)}.`;
  return `${key} is ${shown(own.value)} (${own.place}), effective ${whenEffective(key)}.`;
}

function whenEffective(key: string): string {
  if (NEEDS_RESTART.includes(key)) return 'after the daemon is restarted';
  if (/^recipe\b|^intake\.folders/.test(key)) return 'for files queued from now on';
  return /^(intake|throttling|page)\./.test(key) ? 'at once' : 'from the next job';
}

/** The file to which a path leads, so that a linked file is changed and its link kept. */
function behindLinks(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    throw new ConfigurationError(
      `${path} is a symbolic link to a file that does not exist; nothing was changed.`,
      [],
    );
  return path;
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

/** Lines that explain a setting: its effective value, then the values that it overrides. */
function explain(key: string, { originsOf }: LoadedSettings): string[] {
  if (!settingKeys().includes(key)) {
    const nearest = nearestKey(key, settingKeys()) ?? settingKeys().find((each) => each.endsWith(`.${key}`));
    const hint = nearest === undefined ? '' : ` (did you mean ${nearest}?)`;
    throw new ConfigurationError(`${key} is not a setting${hint}.`, []);
  }
  const lines = originsOf(key).map(({ value, place, reason }, i) => {
    const why = reason === null ? '' : `: ${reason}`;
    return `${i === 0 ? 'effective' : 'overrides'}: ${shown(value)} (from ${place}${why})`;
  });
  return [`${key}: ${describeSetting(key)}`, ...lines];
}

function shown(value: unknown): string {
  if (value === undefined) return 'not set';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
