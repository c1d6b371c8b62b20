import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { codeOf, toError } from '../domain/errors.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { describeIssue } from './describe-issue.ts';
import type { Home } from './home.ts';
import { completeSettings, SAFE_DEFAULTS, SettingsFile, type Settings } from './settings.ts';

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
    return withDefaults([`${home.configFile}: it cannot be read (${codeOf(error)})`], home.configFile);
  }
  return parseSettings(text, home.configFile);
}

/** @param name of the file, for the sentences */
export function parseSettings(text: string, name: string): LoadedSettings {
  const document = parseDocument(text, { prettyErrors: true });
  const syntax = document.errors.map((error) => `${name}: ${error.message.split('\n')[0] ?? ''}`);
  if (syntax.length > 0) return withDefaults(syntax, name);
  let written: unknown;
  try {
    written = document.toJS();
  } catch (error) {
    // Aliases are resolved here, and an unknown or an exploding one is told only now.
    return withDefaults([`${name}: ${toError(error).message}`], name);
  }
  // An empty file, or one with nothing but comments, says nothing.
  const parsed = SettingsFile.safeParse(written ?? {});
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
  let at = unwrap(SettingsFile);
  for (const key of path) {
    // A record, such as the folders, takes any name and has one schema for all of them.
    at = unwrap(
      at instanceof z.ZodObject ? at.shape[String(key)] : at instanceof z.ZodRecord && at.valueType,
    );
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

/** The schema inside zod's wrappers for defaults. */
function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault ? unwrap(schema.unwrap()) : schema;
}
