import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PIPELINE_DEFAULTS } from '../../../src/config/recipe-presets.ts';
import { ExitCode } from '../../../src/domain/exit-codes.ts';
import { SITUATIONS } from '../../../src/pipelines/dual-face/direction/situations.ts';

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

  it('has every situation of a pane, with when it applies', () => {
    const rows = rowsUnder('Split screens').slice(-SITUATIONS.length);
    expect(rows).toEqual(SITUATIONS.map(({ situation, when }) => [situation, when]));
  });

  it.each([
    ['dual-face', 'Split screens'],
    ['lip-sync', 'Lip-sync'],
  ] as const)('has every key of a %s recipe with its default', (name, heading) => {
    const { pipeline, ...defaults } = PIPELINE_DEFAULTS[name];
    const keys = rowsUnder(heading).slice(0, Object.keys(defaults).length);
    expect(pipeline).toBe(name);
    expect(keys).toEqual(
      Object.entries<unknown>(defaults).map(([key, value]) => [
        key,
        JSON.stringify(value).replaceAll('"', ''),
      ]),
    );
  });
});
