import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { quarantineSource } from '../../../src/workspace/quarantine-source.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const damaged = { code: 'DAMAGED' as const, message: 'Only 3 % of it can be decoded.' };

function rejectable(root: string, name: string, contents = 'x'): string {
  mkdirSync(join(root, 'input'), { recursive: true });
  const path = join(root, 'input', name);
  writeFileSync(path, contents);
  return path;
}

test('a rejected file is moved with its reason, beside another of its name too', async () => {
  const root = temporaryFolder();
  // The third is the second over again, and takes its place.
  for (const [prefix, contents] of [
    ['1', 'x'],
    ['2', 'y'],
    ['2', 'y'],
  ] as const) {
    const said = await quarantineSource(root, rejectable(root, 'a.mp4', contents), damaged, prefix);
    expect(said).toMatch(/^a\.mp4 is in quarantine\/(2-)?a\.mp4 now, with the reason beside it$/);
  }
  expect(readdirSync(join(root, 'quarantine')).sort()).toEqual([
    '2-a.mp4',
    '2-a.mp4.txt',
    'a.mp4',
    'a.mp4.txt',
  ]);
  expect(readFileSync(join(root, 'quarantine/a.mp4.txt'), 'utf8')).toBe(
    'DAMAGED: Only 3 % of it can be decoded.\n',
  );
});

test('a name that leaves no room for the reason is moved all the same, and that is said', async () => {
  const root = temporaryFolder();
  const name = `${'n'.repeat(251)}.mp4`;
  const said = await quarantineSource(root, rejectable(root, name), damaged, '1');
  expect(said).toMatch(/ now; the reason cannot be written beside it: ENAMETOOLONG/);
  expect(readdirSync(join(root, 'quarantine'))).toEqual([name]);
});

test('what is not the fault of the file, or cannot be moved, leaves it where it is', async () => {
  const root = temporaryFolder();
  const path = rejectable(root, 'a.mp4');
  expect(await quarantineSource(root, path, { code: 'BAD_RECIPE', message: '' }, '1')).toBeNull();
  writeFileSync(join(root, 'quarantine'), 'in the way');
  expect(await quarantineSource(root, path, damaged, '1')).toMatch(/^a\.mp4 stays where it is: /);
  expect(existsSync(path)).toBe(true);
});
