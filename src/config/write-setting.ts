import { isMap, isScalar, parse, parseDocument, YAMLMap, type Document } from 'yaml';
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
  assertSetting(key);
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

/**
 * Removes one setting from the text of a settings file, with the comment directly above it, and its group if that is then
 * empty, so that the default or another level applies.
 *
 * @throws ConfigurationError if there is no such setting, or if the file is not valid YAML
 */
export function withoutSetting(text: string, name: string, key: string): string {
  assertSetting(key);
  const document = parseDocument(text);
  const [fault] = document.errors;
  if (fault !== undefined) throw unusable(name, [yamlFault(fault)]);
  const path = key.split('.');
  if (!document.hasIn(path)) return text;
  if (path.length > 1) document.deleteIn(path);
  const group = path.length > 1 ? document.get(path[0]) : null;
  if (path.length === 1 || (isMap(group) && group.items.length === 0)) {
    keepHead(document, path[0]);
    document.delete(path[0]);
  }
  // An empty document is written as `{}`.
  const isEmpty = isMap(document.contents) && document.contents.items.length === 0;
  return isEmpty
    ? document
        .toString()
        .replace(/^\{\}\n/m, '')
        .trimStart()
    : document.toString();
}

/** Keeps the comment at the head of a file whose first setting is removed, up to the last blank line. */
function keepHead(document: Document, key: string | undefined): void {
  const first = isMap(document.contents) ? document.contents.items[0]?.key : undefined;
  if (!isScalar(first) || first.value !== key || typeof first.commentBefore !== 'string') return;
  const paragraphs = first.commentBefore.split('\n\n').slice(0, -1);
  if (paragraphs.length > 0) document.commentBefore = paragraphs.join('\n\n');
}

function assertSetting(key: string): void {
  if (settingKeys().includes(key)) return;
  const nearest = nearestKey(key, settingKeys()) ?? settingKeys().find((each) => each.endsWith(`.${key}`));
  const hint =
    nearest === undefined ? 'to list all settings: framekiln config example' : `did you mean ${nearest}?`;
  throw new ConfigurationError(`${key} is not a setting (${hint}).`, []);
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
