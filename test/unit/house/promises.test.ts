import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { FAIL_POINTS } from '../../../src/lib/fail-point.ts';

/* docs/promises.md names what is there. */
const page = readFileSync(new URL('../../../docs/promises.md', import.meta.url), 'utf8');

function quoted(text = ''): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

it('docs/promises.md lists every fail point, and no other', () => {
  const table = page.split('\n## Fail points\n')[1]?.split('\n## ')[0] ?? '';
  const listed = table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => {
      const [, objects, places] = line.split('|');
      return quoted(objects).flatMap((object) => quoted(places).map((place) => `${object}.${place}`));
    });
  expect(listed.sort()).toEqual([...FAIL_POINTS].sort());
});

it('docs/promises.md points only to tests that exist, and every promise to at least one', () => {
  const rows = page.split('\n').filter((line) => /^\| \d+ /.test(line));
  expect(rows.length).toBeGreaterThan(25);
  const numbers = rows.map((row) => Number(row.split('|')[1]));
  expect(new Set(numbers).size).toBe(numbers.length);
  for (const row of rows) expect(row).toMatch(/`[a-z0-9/-]+\.test\.ts`/);
  const paths = quoted(page).filter((name) => name.endsWith('.ts') && !name.startsWith('src/'));
  const missing = paths.filter((path) => !existsSync(new URL(`../../${path}`, import.meta.url)));
  expect(missing).toEqual([]);
});
