import { isMap, isScalar, parse, parseDocument, YAMLMap, type Document } from 'yaml';
import { ConfigurationError } from '../domain/errors.ts';
import { nearestKey } from './describe-issue.ts';
import { settingKeys, valueAt } from './setting-keys.ts';
import { SettingsFile } from './settings.ts';
import { parseYamlLevel, yamlFault } from './yaml-level.ts';

/** A change to a settings file. */
export interface SettingChange {
  readonly key: string;
  /** The new value in YAML; null removes the setting from the file. */
  readonly value: string | null;
}

export interface ChangedText {
  readonly text: string;
  /** The changes that undo these. */
  readonly previous: readonly SettingChange[];
}

/**
 * Changes settings in the text of a settings file and keeps its comments and the order of its keys.
 *
 * @param text current text of the file; empty if there is no file
 * @param name name of the file for messages
 * @throws ConfigurationError with all faults, including those that the file had before, because it would then be
 *   ignored
 */
export function withSettings(text: string, name: string, changes: readonly SettingChange[]): ChangedText {
  for (const { key } of changes) assertSetting(key);
  const before = parseYamlLevel(text, name);
  if (before.faults.length > 0) throw unusable(name, before.faults);
  const document = parseSettings(text);
  for (const { key, value } of changes) {
    if (value === null) remove(document, key);
    else set(document, key, valueOf(value));
  }
  const written = textOf(document);
  const level = parseYamlLevel(written, name);
  const faults = level.describe(SettingsFile.safeParse(level.said).error?.issues ?? []);
  if (faults.length > 0) throw unusable(name, faults);
  const previous = changes.map(({ key }) => {
    const value = valueAt(before.said, key);
    return { key, value: value === undefined ? null : JSON.stringify(value) };
  });
  return { text: written, previous };
}

function assertSetting(key: string): void {
  if (settingKeys().includes(key)) return;
  const nearest = nearestKey(key, settingKeys()) ?? settingKeys().find((each) => each.endsWith(`.${key}`));
  const hint =
    nearest === undefined ? 'to list all settings: framekiln config example' : `did you mean ${nearest}?`;
  throw new ConfigurationError(`${key} is not a setting (${hint}).`, []);
}

/** The document of a text; a file that is empty, or has comments only, is a map without keys. */
function parseSettings(text: string): Document {
  const document: Document = parseDocument(text);
  const { contents } = document;
  if (contents !== null && !(isScalar(contents) && contents.value === null)) return document;
  const map = document.createNode({});
  const comments = [document.commentBefore, contents?.commentBefore, contents?.comment, document.comment];
  map.commentBefore = comments.filter((comment) => comment != null).join('\n') || null;
  document.contents = map;
  document.commentBefore = document.comment = null;
  return document;
}

function set(document: Document, key: string, value: unknown): void {
  const [group = '', setting] = key.split('.');
  const current = document.get(group, true);
  // A group that contains only comments is null, which takes no keys.
  if (setting !== undefined && isScalar(current) && current.value === null) {
    const map = new YAMLMap();
    map.commentBefore = current.commentBefore ?? current.comment ?? null;
    document.set(group, map);
  }
  document.setIn(key.split('.'), value);
}

/** Removes a setting, and its group if nothing else is in it; the comments before the group stay. */
function remove(document: Document, key: string): void {
  const path = key.split('.');
  if (!document.hasIn(path)) return;
  document.deleteIn(path);
  const [group = ''] = path;
  const { contents } = document;
  const left = document.get(group, true);
  if (path.length === 1 || !isMap(left) || left.items.length > 0 || !isMap(contents)) return;
  const at = contents.items.findIndex((pair) => isScalar(pair.key) && pair.key.value === group);
  const [removed] = contents.items.splice(at, 1);
  const comments = [isScalar(removed?.key) ? removed.key.commentBefore : null, left.comment];
  const next = contents.items[at]?.key;
  const place = isScalar(next) ? next : null;
  const kept = [...comments, place?.commentBefore ?? (place === null ? document.comment : null)]
    .filter((comment) => comment != null && comment !== '')
    .join('\n');
  if (kept === '') return;
  if (place === null) document.comment = kept;
  else place.commentBefore = kept;
}

/** The text of a document; that of an empty one has its comments only, where YAML would add `{}`. */
function textOf(document: Document): string {
  const { contents } = document;
  if (!isMap(contents) || contents.items.length > 0) return document.toString();
  const comments = [document.commentBefore, contents.commentBefore, contents.comment, document.comment];
  const lines = comments.flatMap((comment) => comment?.split('\n') ?? []);
  // A blank line between comments is an empty one of them.
  return lines.map((line) => (line === '' ? '\n' : `#${line}\n`)).join('');
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
