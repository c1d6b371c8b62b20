import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
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

describe('docs/guide.md', () => {
  it('names every exit code', () => {
    expect(rowsUnder('Exit codes').map(([code]) => Number(code))).toEqual(Object.values(ExitCode));
  });
});
