import type { z } from 'zod';

/**
 * Describes a fault found by zod, one sentence per unknown key, with the nearest valid key.
 *
 * @param validKeys keys that are valid at the place of the fault
 * @param elsewhere dotted names of all settings, to suggest the right group for a key in the wrong one
 */
export function describeIssue(
  issue: z.core.$ZodIssue,
  validKeys: readonly string[],
  elsewhere: readonly string[] = [],
): string[] {
  const where = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const nearest =
        nearestKey(key, validKeys) ?? elsewhere.find((name) => name.endsWith(`.${key}`)) ?? null;
      const name = where === '' ? key : `${where}.${key}`;
      return nearest === null ? `unknown key ${name}` : `unknown key ${name} (did you mean ${nearest}?)`;
    });
  }
  return [where === '' ? issue.message : `${where}: ${issue.message}`];
}

/** The nearest valid key within three edits and a third of the key's length, or null. */
export function nearestKey(key: string, validKeys: readonly string[]): string | null {
  const ranked = validKeys.map((valid) => ({
    valid,
    edits: editDistance(key.toLowerCase(), valid.toLowerCase()),
  }));
  const best = ranked.sort((a, b) => a.edits - b.edits)[0];
  return best !== undefined && best.edits <= Math.min(3, Math.ceil(key.length / 3)) ? best.valid : null;
}

/** Levenshtein distance, computed row by row (Wagner and Fischer, 1974). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
