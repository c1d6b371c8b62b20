import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import { ExitCode } from '../../../src/domain/exit-codes.ts';

/* The tables of the guide are those of the program. */
const guide = readFileSync(new URL('../../../docs/guide.md', import.meta.url), 'utf8');

/** The first cells of the table under a heading, a row each. */
function rowsUnder(heading: string): string[][] {
  const section = guide.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, 3)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

function leaves(value: object, path = ''): string[][] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const name = path + key;
    if (typeof inner !== 'object' || inner === null) return [[name, String(inner)]];
    return Object.keys(inner).length === 0 ? [[name, '{}']] : leaves(inner, `${name}.`);
  });
}

describe('docs/guide.md', () => {
  it('names every option with its default, and no other', () => {
    expect(rowsUnder('framekiln.yaml').sort()).toEqual(leaves(SAFE_DEFAULTS).sort());
  });

  it('names every exit code', () => {
    expect(rowsUnder('Exit codes').map(([code]) => Number(code))).toEqual(Object.values(ExitCode));
  });
});
