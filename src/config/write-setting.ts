import { isScalar, parse, parseDocument, YAMLMap } from 'yaml';
import { ConfigurationError, toError } from '../domain/errors.ts';
import { nearestKey } from './describe-issue.ts';
import { settingKeys } from './setting-keys.ts';
import { SettingsFile } from './settings.ts';
import { parseYamlLevel } from './yaml-level.ts';

/**
 * The text of a person's file with one setting changed. Its comments, its order and everything else in it stay.
 *
 * @param text of the file as it is; empty where there is none
 * @param name of the file, for people
 * @param value as it would stand in the file
 * @throws ConfigurationError with every fault, for a file that is faulty already, too: it would not be used
 */
export function withSetting(text: string, name: string, key: string, value: string): string {
  if (!settingKeys().includes(key)) {
    const nearest = nearestKey(key, settingKeys()) ?? settingKeys().find((each) => each.endsWith(`.${key}`));
    const hint = nearest === undefined ? '`framekiln config show` lists them' : `did you mean ${nearest}?`;
    throw new ConfigurationError(`${key} is not a setting (${hint}).`, []);
  }
  const before = parseYamlLevel(text, name).faults;
  if (before.length > 0) throw unusable(name, before);
  const document = parseDocument(text);
  const [group = '', setting] = key.split('.');
  const held = document.get(group, true);
  // A group that holds only comments is null, and nothing can be put into that.
  if (setting !== undefined && isScalar(held) && held.value === null) {
    const map = new YAMLMap();
    map.commentBefore = held.commentBefore ?? held.comment ?? null;
    document.set(group, map);
  }
  document.setIn(key.split('.'), valueOf(value));
  const written = document.toString();
  const level = parseYamlLevel(written, name);
  const faults = level.describe(SettingsFile.safeParse(level.said).error?.issues ?? []);
  if (faults.length > 0) throw unusable(name, faults);
  return written;
}

function valueOf(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch (error) {
    throw new ConfigurationError(`${text} is no value: ${toError(error).message.split('\n')[0] ?? ''}.`, []);
  }
}

function unusable(name: string, faults: readonly string[]): ConfigurationError {
  return new ConfigurationError(`${name} is left as it is: ${faults.join('; ')}.`, faults);
}
