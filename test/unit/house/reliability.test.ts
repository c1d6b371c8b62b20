import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { FAIL_POINTS } from '../../../src/lib/fail-point.ts';

it('docs/reliability.md names every fail point, and no other', () => {
  const page = readFileSync(new URL('../../../docs/reliability.md', import.meta.url), 'utf8');
  const table = page.split('\n## Fail points\n')[1]?.split('\n## ')[0] ?? '';
  const names = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  const told = table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => {
      const [, what, places] = line.split('|');
      return names(what).flatMap((first) => names(places).map((second) => `${first}.${second}`));
    });
  expect(told.sort()).toEqual([...FAIL_POINTS].sort());
});
