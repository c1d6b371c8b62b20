import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { codeOf, toError } from '../domain/errors.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { nearestKey } from './describe-issue.ts';
import { LEGACY_VARIABLES, settingVariables } from './environment.ts';
import type { Home } from './home.ts';
import { settingKeys, treeOf, valueAt, variableOf } from './setting-keys.ts';
import { completeSettings, SAFE_DEFAULTS, SettingsFile, type Settings } from './settings.ts';
import { parseYamlLevel, type YamlLevel } from './yaml-level.ts';

/** What one level says about one setting. */
export interface Origin {
  readonly value: unknown;
  /** For people: `framekiln.yaml, line 3`, `--set`, `the variable FRAMEKILN_ENCODER_CRF`, `the safe default`. */
  readonly place: string;
  /** Why the probe chose it; null elsewhere. */
  readonly reason: string | null;
}

export interface LoadedSettings {
  readonly settings: Settings;
  /** Every fault of every level, a sentence each. */
  readonly faults: readonly string[];
  /** All that was said about a setting, the one that holds first; the safe default is last. */
  readonly originsOf: (key: string) => readonly Origin[];
}

export interface SettingSources {
  readonly home: Pick<Home, 'configFile' | 'detectedFile'>;
  /** `KEY=VALUE`, as `--set` takes them. */
  readonly flags?: readonly string[];
}

/** A level that was found to be usable, on top of those below it. */
interface Accepted {
  readonly said: Record<string, unknown>;
  readonly placeOf: (key: string) => string;
  readonly reasonOf: (key: string) => string | null;
}

/**
 * The settings: flags over the environment over what a person wrote (`framekiln.yaml`) over what was detected
 * (`.framekiln/detected.yaml`) over safe defaults (D4). Of a faulty file nothing is used, of faulty variables and
 * flags only the others; the levels below hold.
 */
export function loadSettings({ home, flags = [] }: SettingSources): LoadedSettings {
  const accepted: Accepted[] = [];
  const faults: string[] = [];
  for (const path of [home.detectedFile, home.configFile]) addFile(path, accepted, faults);
  const keys = settingKeys();
  const groups = new Set(keys.map((key) => variableOf(key.split('.')[0] ?? '')));
  for (const [name, text] of settingVariables([...groups])) {
    const known = LEGACY_VARIABLES[name] ?? keys.find((key) => variableOf(key) === name);
    if (known !== undefined) addValue(known, text, `the variable ${name}`, accepted, faults);
    else faults.push(unknownKey(name, 'the environment', keys.map(variableOf)));
  }
  for (const flag of flags) {
    const [key = '', ...value] = flag.split('=');
    if (value.length === 0) faults.push(`--set ${flag}: expected KEY=VALUE, such as encoder.crf=20`);
    else if (keys.includes(key)) addValue(key, value.join('='), '--set', accepted, faults);
    else faults.push(unknownKey(key, '--set', keys));
  }
  const parsed = SettingsFile.parse(merged(accepted));
  return { settings: completeSettings(parsed), faults, originsOf: (key) => origins(key, accepted) };
}

function addFile(path: string, accepted: Accepted[], faults: string[]): void {
  let level: YamlLevel;
  try {
    level = parseYamlLevel(readFileSync(path, 'utf8'), path);
  } catch (error) {
    if (!isMissingFile(error)) faults.push(`${path}: it cannot be read (${codeOf(error)})`, skipped(path));
    return;
  }
  const found = level.faults.length > 0 ? level.faults : level.describe(issuesOf(accepted, level.said));
  if (found.length === 0) accepted.push(level);
  else faults.push(...found, skipped(path));
}

function addValue(key: string, text: string, place: string, accepted: Accepted[], faults: string[]): void {
  let value: unknown;
  try {
    value = asSwitch(key, parse(text));
  } catch (error) {
    faults.push(`${place}: ${toError(error).message.split('\n')[0] ?? ''}`);
    return;
  }
  const said = treeOf(key, value);
  const issues = issuesOf(accepted, said);
  if (issues.length === 0) accepted.push({ said, placeOf: () => place, reasonOf: () => null });
  else faults.push(...issues.map(({ message }) => `${place}: ${key}: ${message}; it is not used`));
}

/** Variables say 0 and 1 where a file says false and true. */
function asSwitch(key: string, value: unknown): unknown {
  const isSwitch = typeof valueAt(SAFE_DEFAULTS, key) === 'boolean';
  return isSwitch && (value === 0 || value === 1) ? value === 1 : value;
}

function skipped(path: string): string {
  return `Nothing of ${path} is used until it is mended; what is below it holds.`;
}

function unknownKey(name: string, place: string, valid: readonly string[]): string {
  const nearest = nearestKey(name, valid);
  return `${place}: ${name} is not a key${nearest === null ? '' : ` (did you mean ${nearest}?)`}; it is not used`;
}

/** What is wrong with a level on top of those that were accepted. */
function issuesOf(accepted: readonly Accepted[], said: Record<string, unknown>) {
  return SettingsFile.safeParse(mergeTrees(merged(accepted), said)).error?.issues ?? [];
}

function merged(accepted: readonly Accepted[]): Record<string, unknown> {
  return accepted.reduce<Record<string, unknown>>((below, { said }) => mergeTrees(below, said), {});
}

/** `above` over `below`, group by group; a setting that is itself a collection is replaced, not mixed. */
function mergeTrees(
  below: Record<string, unknown>,
  above: Record<string, unknown>,
  path = '',
): Record<string, unknown> {
  const keys = settingKeys();
  const entries = Object.entries(above).map(([key, value]) => {
    const under = below[key];
    const isGroup = isTree(value) && isTree(under) && !keys.includes(path + key);
    return [key, isGroup ? mergeTrees(under, value, `${path}${key}.`) : value] as const;
  });
  return { ...below, ...Object.fromEntries(entries) };
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function origins(key: string, accepted: readonly Accepted[]): Origin[] {
  const said = accepted.toReversed().flatMap(({ said: tree, placeOf, reasonOf }) => {
    const value = valueAt(tree, key);
    return value === undefined ? [] : [{ value, place: placeOf(key), reason: reasonOf(key) }];
  });
  return [...said, { value: valueAt(SAFE_DEFAULTS, key), place: 'the safe default', reason: null }];
}
