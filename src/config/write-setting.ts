import { isScalar, parse, parseDocument, YAMLMap } from 'yaml';
import { ConfigurationError } from '../domain/errors.ts';
import { nearestKey } from './describe-issue.ts';
import { settingKeys } from './setting-keys.ts';
import { SettingsFile } from './settings.ts';
import { parseYamlLevel, yamlFault } from './yaml-level.ts';

/**
 * Changes one setting in the text of a settings file and keeps its comments and the order of its keys.
 *
 * @param text current text of the file; empty if there is no file
 * @param name name of the file for messages
 * @param value the value in YAML
 * @throws ConfigurationError with all faults, including those that the file had before, because it would then be
 *   ignored
 */
export function withSetting(text: string, name: string, key: string, value: string): string {
  if (!settingKeys().includes(key)) {
    const nearest = nearestKey(key, settingKeys()) ?? settingKeys().find((each) => each.endsWith(`.${key}`));
    const hint =
      nearest === undefined ? 'to list all settings: framekiln config example' : `did you mean ${nearest}?`;
    throw new ConfigurationError(`${key} is not a setting (${hint}).`, []);
  }
  const before = parseYamlLevel(text, name).faults;
  if (before.length > 0) throw unusable(name, before);
  const document = parseDocument(text);
  const [group = '', setting] = key.split('.');
  const current = document.get(group, true);
  // A group that contains only comments is null, which takes no keys.
  if (setting !== undefined && isScalar(current) && current.value === null) {
    const map = new YAMLMap();
    map.commentBefore = current.commentBefore ?? current.comment ?? null;
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
    throw new ConfigurationError(`${text} is not valid YAML: ${yamlFault(error)}.`, []);
  }
}

function unusable(name: string, faults: readonly string[]): ConfigurationError {
  return new ConfigurationError(`${name} was not changed: ${faults.join('; ')}.`, faults);
}
