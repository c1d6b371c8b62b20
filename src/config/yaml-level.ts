import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { toError } from '../domain/errors.ts';
import { describeIssue } from './describe-issue.ts';
import { keysAt, settingKeys } from './setting-keys.ts';

/** A YAML file as one level of settings. */
export interface YamlLevel {
  /** Settings in the file, as nested objects without empty groups. */
  readonly said: Record<string, unknown>;
  /** Reasons why the file cannot be parsed, one sentence each. */
  readonly faults: readonly string[];
  /** Where a setting is set, such as `framekiln.yaml, line 3`. */
  readonly placeOf: (key: string) => string;
  /** The comment after the value of a setting, or null. */
  readonly reasonOf: (key: string) => string | null;
  /** Describes faults found by the schema, each with its line. */
  readonly describe: (issues: readonly z.core.$ZodIssue[]) => string[];
}

/** Parses a settings file. @param name name of the file for messages */
export function parseYamlLevel(text: string, name: string): YamlLevel {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeAt = (offset: number | undefined): string =>
    offset === undefined ? name : `${name}, line ${lines.linePos(offset).line}`;
  const level = {
    placeOf: (key: string) => placeAt(offsetOf(document, key.split('.'))),
    reasonOf: (key: string) => commentAt(document, key.split('.')),
    describe: (issues: readonly z.core.$ZodIssue[]) =>
      issues.flatMap((issue) => sentences(issue, document, placeAt)),
  };
  const faults = document.errors.map((error) => `${placeAt(error.pos[0])}: ${error.message}`);
  if (faults.length > 0) return { ...level, said: {}, faults };
  try {
    const said = withoutEmptyGroups(document.toJS());
    if (said === undefined) return { ...level, said: {}, faults: [] };
    if (typeof said === 'object' && !Array.isArray(said))
      return { ...level, said: said as Record<string, unknown>, faults: [] };
    return {
      ...level,
      said: {},
      faults: [
        `${name}: expected groups of settings, such as \`encoder:\`, but found ${Array.isArray(said) ? 'a list' : `a ${typeof said}`}`,
      ],
    };
  } catch (error) {
    // Aliases are resolved here: an unknown or exponentially growing one is reported only now.
    return { ...level, said: {}, faults: [`${name}: ${toError(error).message}`] };
  }
}

/** The first line of an error of the YAML parser, without the colon before the excerpt that follows. */
export function yamlFault(error: unknown): string {
  return (toError(error).message.split('\n')[0] ?? '').replace(/[.:]$/, '');
}

/** A group whose keys are all commented out is `null` in YAML. */
function withoutEmptyGroups(value: unknown): unknown {
  if (value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutEmptyGroups(inner)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
}

function sentences(
  issue: z.core.$ZodIssue,
  document: Document,
  placeAt: (offset: number | undefined) => string,
): string[] {
  const paths =
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
  return describeIssue(issue, keysAt(issue.path), settingKeys()).map(
    (sentence, i) => `${placeAt(offsetOf(document, paths[i] ?? issue.path))}: ${sentence}`,
  );
}

/** Offset of a key in the text, or of the innermost group around a missing key. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    if (!isMap(parent)) continue;
    const pair = parent.items.find(({ key }) => isScalar(key) && key.value === path[length - 1]);
    if (isPair(pair) && isScalar(pair.key)) return pair.key.range?.[0];
  }
  return undefined;
}

function commentAt(document: Document, path: readonly string[]): string | null {
  const node = document.getIn(path, true);
  return isNode(node) ? (node.comment?.trim() ?? null) : null;
}
