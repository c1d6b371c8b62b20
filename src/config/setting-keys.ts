import { z } from 'zod';
import { SettingsFile } from './settings.ts';

/** Dotted names of all settings, such as `encoder.crf`, in the order of the schema. */
export function settingKeys(): string[] {
  return leavesBelow(SettingsFile, '');
}

/** Settings that a running daemon does not reload. */
export const NEEDS_RESTART: readonly string[] = [
  'intake.polling',
  'log.level',
  'page.enabled',
  'page.port',
  'page.host',
];

/** Keys that are valid at a path of the settings file. */
export function keysAt(path: readonly PropertyKey[]): string[] {
  let at = unwrap(SettingsFile);
  for (const key of path) {
    // A record, such as intake.folders, accepts any key and has one schema for all values.
    at = unwrap(
      at instanceof z.ZodObject ? at.shape[String(key)] : at instanceof z.ZodRecord && at.valueType,
    );
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

/** What a setting means and which values it accepts: `constant rate factor; … (0 to 51)`. */
export function describeSetting(key: string): string {
  const schema = schemaOf(key);
  if (schema.description === undefined) throw new Error(`The setting ${key} has no description.`);
  const range = rangeOf(schema);
  return range === '' ? schema.description : `${schema.description} (${range})`;
}

/** How a setting is entered in a form. */
export type SettingField =
  | { readonly kind: 'switch' | 'text' | 'yaml' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | {
      readonly kind: 'number';
      readonly min: number | null;
      readonly max: number | null;
      readonly isWhole: boolean;
    };

/** How a setting is entered in a form, by its schema; lists and maps in YAML. */
export function settingField(key: string): SettingField {
  const { type, enum: choices, minimum, maximum, exclusiveMinimum } = schemaOf(key);
  if (choices !== undefined) return { kind: 'choice', choices };
  if (type === 'boolean') return { kind: 'switch' };
  if (type === 'integer' || type === 'number')
    return {
      ...{ kind: 'number', isWhole: type === 'integer' },
      min: minimum ?? exclusiveMinimum ?? null,
      max: maximum ?? null,
    };
  return { kind: type === 'string' ? 'text' : 'yaml' };
}

function schemaOf(key: string): JsonSchema {
  return (
    key.split('.').reduce<JsonSchema | undefined>((at, part) => at?.properties?.[part], jsonSchema()) ?? {}
  );
}

/** The environment variable of a setting: `FRAMEKILN_ENCODER_CRF`. */
export function variableOf(key: string): string {
  const words = key.replaceAll('.', '_').replace(/[A-Z]/g, (letter) => `_${letter}`);
  return `FRAMEKILN_${words.toUpperCase()}`;
}

/** The value at a dotted name in nested objects, or undefined. */
export function valueAt(tree: unknown, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>(
      (at, part) =>
        typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[part] : undefined,
      tree,
    );
}

/** Nested objects with one value: `{ encoder: { crf: 20 } }`. */
export function treeOf(key: string, value: unknown): Record<string, unknown> {
  const [first = '', ...rest] = key.split('.');
  return { [first]: rest.length === 0 ? value : treeOf(rest.join('.'), value) };
}

function leavesBelow(schema: unknown, path: string): string[] {
  const at = unwrap(schema);
  if (!(at instanceof z.ZodObject)) return [path];
  return Object.entries(at.shape).flatMap(([key, inner]) =>
    leavesBelow(inner, path === '' ? key : `${path}.${key}`),
  );
}

/** The schema without zod's wrappers for defaults and optional values. */
function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional
    ? unwrap(schema.unwrap())
    : schema;
}

/** The part of JSON Schema that zod generates for the types used here. */
interface JsonSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

let knownSchema: JsonSchema | null = null;

/** Made once: it takes milliseconds, and the page asks for the description of every setting. */
function jsonSchema(): JsonSchema {
  return (knownSchema ??= z.toJSONSchema(SettingsFile, { io: 'input' }) as JsonSchema);
}

function rangeOf({ anyOf, enum: names, const: name, minimum, maximum, ...other }: JsonSchema): string {
  if (anyOf !== undefined)
    return anyOf
      .map(rangeOf)
      .filter((text) => text !== '')
      .join(', or ');
  if (names !== undefined) return names.join(', ');
  if (name !== undefined) return name;
  if (other.type === 'boolean') return 'true, false';
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (other.exclusiveMinimum !== undefined) return `above ${other.exclusiveMinimum}`;
  return '';
}
