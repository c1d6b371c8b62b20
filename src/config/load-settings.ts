import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { describeIssue } from './describe-issue.ts';
import type { Home } from './home.ts';
import { completeSettings, SAFE_DEFAULTS, SettingsFile, type Settings } from './settings.ts';
import { isMissingFile } from '../lib/file-errors.ts';

export interface LoadedSettings {
  readonly settings: Settings;
  /** Every fault of the file, a sentence each. Of a faulty file nothing is used. */
  readonly faults: readonly string[];
}

/** Reads the home's `framekiln.yaml`; without one, or with a faulty one, the safe defaults hold (D4). */
export function loadSettings(home: Pick<Home, 'configFile'>): LoadedSettings {
  let text: string;
  try {
    text = readFileSync(home.configFile, 'utf8');
  } catch (error) {
    if (isMissingFile(error)) return { settings: SAFE_DEFAULTS, faults: [] };
    throw error;
  }
  return parseSettings(text, home.configFile);
}

/** @param name of the file, for the sentences */
export function parseSettings(text: string, name: string): LoadedSettings {
  const document = parseDocument(text, { prettyErrors: true });
  const syntax = document.errors.map((error) => `${name}: ${error.message.split('\n')[0] ?? ''}`);
  if (syntax.length > 0) return withDefaults(syntax, name);
  // An empty file, or one with nothing but comments, says nothing.
  const parsed = SettingsFile.safeParse(document.toJS() ?? {});
  if (parsed.success) return { settings: completeSettings(parsed.data), faults: [] };
  const faults = parsed.error.issues.flatMap((issue) => describeIssue(issue, keysAt(issue.path)));
  return withDefaults(
    faults.map((fault) => `${name}: ${fault}`),
    name,
  );
}

function withDefaults(faults: string[], name: string): LoadedSettings {
  return {
    settings: SAFE_DEFAULTS,
    faults: [...faults, `Nothing of ${name} is used until it is mended; the defaults hold.`],
  };
}

/** The keys that are valid at a place of the file. */
function keysAt(path: readonly PropertyKey[]): string[] {
  let at: unknown = SettingsFile;
  for (const key of path) at = unwrap(at)?.shape?.[String(key)];
  return Object.keys(unwrap(at)?.shape ?? {});
}

interface Inside {
  readonly shape?: Record<string, unknown>;
  readonly unwrap?: () => unknown;
}

/** The object inside zod's wrappers for defaults. */
function unwrap(schema: unknown): Inside | undefined {
  let inside = schema as (z.ZodType & Inside) | undefined;
  while (inside !== undefined && inside.shape === undefined && inside.unwrap !== undefined) {
    inside = inside.unwrap() as z.ZodType & Inside;
  }
  return inside;
}
