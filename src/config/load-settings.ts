import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { codeOf } from '../domain/errors.ts';
import { counted } from '../lib/counted.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { nearestKey } from './describe-issue.ts';
import { LEGACY_VARIABLES, settingVariables } from './environment.ts';
import type { Home } from './home.ts';
import { settingKeys, treeOf, valueAt, variableOf } from './setting-keys.ts';
import { completeSettings, SAFE_DEFAULTS, SettingsFile, type Settings } from './settings.ts';
import { parseYamlLevel, yamlFault, type YamlLevel } from './yaml-level.ts';

/** The value that one level gives a setting. */
export interface Origin {
  readonly value: unknown;
  /** Where the value is set: `framekiln.yaml, line 3`, `--set`, `environment variable FRAMEKILN_ENCODER_CRF`, `default`. */
  readonly place: string;
  /** Why the probe chose the value; null for other levels. */
  readonly reason: string | null;
}

export interface LoadedSettings {
  readonly settings: Settings;
  /** Faults of all levels, one sentence each. */
  readonly faults: readonly string[];
  /** The text of `framekiln.yaml`: empty without a file, null if it has faults. */
  readonly validText: string | null;
  /** All values of a setting: first the effective one, then those it overrides, with the default last. */
  readonly originsOf: (key: string) => readonly Origin[];
}

export interface SettingSources {
  readonly home: Pick<Home, 'configFile' | 'validConfigFile' | 'detectedFile'>;
  /** Options given with `--set`, as `KEY=VALUE`. */
  readonly flags?: readonly string[];
}

/** A level without faults. */
interface Accepted {
  readonly said: Record<string, unknown>;
  readonly placeOf: (key: string) => string;
  readonly reasonOf: (key: string) => string | null;
}

/**
 * Loads the settings. Precedence, highest first: `--set`, environment variables, `framekiln.yaml`, detected values
 * (`.framekiln/detected.yaml`), defaults. A file with a fault is ignored as a whole, and instead of `framekiln.yaml` its
 * last version without faults applies; a faulty variable or option is ignored on its own.
 */
export function loadSettings({ home, flags = [] }: SettingSources): LoadedSettings {
  const accepted: Accepted[] = [];
  const faults: string[] = [];
  const detected = addFile(home.detectedFile, accepted);
  if (detected.fault !== null)
    faults.push(
      ...detected.details,
      `${detected.fault}; defaults apply; to write the file again: framekiln doctor --probe`,
    );
  const user = addFile(home.configFile, accepted);
  if (user.fault !== null) {
    const earlier = addFile(home.validConfigFile, accepted);
    const instead =
      earlier.text === null || earlier.fault !== null
        ? 'detected values and defaults apply'
        : 'its last version without errors applies';
    faults.push(...user.details, `${user.fault}; ${instead}`);
  }
  const keys = settingKeys();
  const groups = new Set(keys.map((key) => variableOf(key.split('.')[0] ?? '')));
  for (const [name, text] of settingVariables([...groups])) {
    const known = LEGACY_VARIABLES[name] ?? keys.find((key) => variableOf(key) === name);
    if (known !== undefined) addValue(known, text, `environment variable ${name}`, accepted, faults);
    else faults.push(unknownName('environment variable', name, keys.map(variableOf)));
  }
  for (const flag of flags) {
    const [key = '', ...value] = flag.split('=');
    if (value.length === 0) faults.push(`--set ${flag}: expected KEY=VALUE, such as encoder.crf=20`);
    else if (keys.includes(key)) addValue(key, value.join('='), '--set', accepted, faults);
    else faults.push(unknownName('setting in --set:', key, keys));
  }
  const parsed = SettingsFile.parse(merged(accepted));
  return {
    settings: completeSettings(parsed),
    faults,
    validText: user.fault === null ? (user.text ?? '') : null,
    originsOf: (key) => origins(key, accepted),
  };
}

/** A settings file: its text, null without a file; why it is ignored, null if it is not; and what is wrong in it. */
interface FileLevel {
  readonly text: string | null;
  readonly fault: string | null;
  readonly details: readonly string[];
}

/** Reads a settings file, and adds it to the accepted levels if it has no faults. */
function addFile(path: string, accepted: Accepted[]): FileLevel {
  let text: string;
  let level: YamlLevel;
  try {
    text = readFileSync(path, 'utf8');
    level = parseYamlLevel(text, path);
  } catch (error) {
    const fault = isMissingFile(error) ? null : `${path} cannot be read (${codeOf(error)}) and is ignored`;
    return { text: null, fault, details: [] };
  }
  const details = level.faults.length > 0 ? level.faults : level.describe(issuesOf(accepted, level.said));
  if (details.length === 0) accepted.push(level);
  const fault =
    details.length === 0 ? null : `${path} has ${counted(details.length, 'error')} and is ignored`;
  return { text, fault, details };
}

function addValue(key: string, text: string, place: string, accepted: Accepted[], faults: string[]): void {
  let value: unknown;
  try {
    value = asSwitch(key, parse(text));
  } catch (error) {
    faults.push(`${place}: ${key}: ${yamlFault(error)}; ignored`);
    return;
  }
  const said = treeOf(key, value);
  const issues = issuesOf(accepted, said);
  if (issues.length === 0) accepted.push({ said, placeOf: () => place, reasonOf: () => null });
  else faults.push(...issues.map(({ message }) => `${place}: ${key}: ${message}; ignored`));
}

/** Accepts 0 and 1 for false and true, as is usual in environment variables. */
function asSwitch(key: string, value: unknown): unknown {
  const isSwitch = typeof valueAt(SAFE_DEFAULTS, key) === 'boolean';
  return isSwitch && (value === 0 || value === 1) ? value === 1 : value;
}

/** @param kind such as `environment variable` */
function unknownName(kind: string, name: string, valid: readonly string[]): string {
  const nearest = nearestKey(name, valid);
  return `unknown ${kind} ${name}${nearest === null ? '' : ` (did you mean ${nearest}?)`}; ignored`;
}

/** Faults of a level when merged over the accepted ones. */
function issuesOf(accepted: readonly Accepted[], said: Record<string, unknown>) {
  return SettingsFile.safeParse(mergeTrees(merged(accepted), said)).error?.issues ?? [];
}

function merged(accepted: readonly Accepted[]): Record<string, unknown> {
  return accepted.reduce<Record<string, unknown>>((below, { said }) => mergeTrees(below, said), {});
}

/** Merges `above` over `below`, group by group; a list or map that is one setting is replaced as a whole. */
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
  return [...said, { value: valueAt(SAFE_DEFAULTS, key), place: 'default', reason: null }];
}
