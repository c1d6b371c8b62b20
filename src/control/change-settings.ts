import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Home } from '../config/home.ts';
import type { Origin } from '../config/load-settings.ts';
import { NEEDS_RESTART } from '../config/setting-keys.ts';
import { withSettings, type SettingChange } from '../config/write-setting.ts';
import { ConfigurationError } from '../domain/errors.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { writeFileDurably } from '../workspace/durable-file.ts';

/**
 * Changes settings in `framekiln.yaml`, all or none.
 *
 * @returns the changes that undo these
 * @throws ConfigurationError if the file would be ignored, or was already
 */
export async function changeSettings(
  { configFile }: Pick<Home, 'configFile'>,
  changes: readonly SettingChange[],
): Promise<readonly SettingChange[]> {
  const before = await readFile(configFile, 'utf8').catch((error: unknown) => {
    if (isMissingFile(error)) return '';
    throw error;
  });
  const { text, previous } = withSettings(before, configFile, changes);
  await writeFileDurably(behindLinks(configFile), text);
  return previous;
}

/** Says when a new value applies, or which value applies instead. */
export function describeChange(key: string, origins: readonly Origin[], configFile: string): string {
  const [first] = origins;
  const own = origins.find(({ place }) => place.startsWith(configFile));
  if (first === undefined) return `${key} is not set.`;
  if (own === undefined)
    return `${key} is ${shownValue(first.value)} again (${first.place}), effective ${whenEffective(key)}.`;
  if (first !== own)
    return `${key} is ${shownValue(own.value)} (${own.place}), but ${first.place} overrides it with ${shownValue(first.value)}.`;
  return `${key} is ${shownValue(own.value)} (${own.place}), effective ${whenEffective(key)}.`;
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

/** A value of a setting as text. */
export function shownValue(value: unknown): string {
  if (value === undefined) return 'not set';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
