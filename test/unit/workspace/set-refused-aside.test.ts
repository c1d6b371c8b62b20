import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { setRefusedAside } from '../../../src/workspace/set-refused-aside.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const damaged = { code: 'DAMAGED' as const, message: 'Only 3 % of it can be decoded.' };

function refusable(root: string, name: string, contents = 'x'): string {
  mkdirSync(join(root, 'input'), { recursive: true });
  const path = join(root, 'input', name);
  writeFileSync(path, contents);
  return path;
}

test('a refused file is moved with its reason, beside another of its name too', async () => {
  const root = temporaryFolder();
  // The third is the second over again, and takes its place.
  for (const [prefix, contents] of [
    ['1', 'x'],
    ['2', 'y'],
    ['2', 'y'],
  ] as const) {
    const said = await setRefusedAside(root, refusable(root, 'a.mp4', contents), damaged, prefix);
    expect(said).toMatch(/^a\.mp4 is in refused\/(2-)?a\.mp4 now, with the reason beside it$/);
  }
  expect(readdirSync(join(root, 'refused')).sort()).toEqual(['2-a.mp4', '2-a.mp4.txt', 'a.mp4', 'a.mp4.txt']);
  expect(readFileSync(join(root, 'refused/a.mp4.txt'), 'utf8')).toBe(
    'DAMAGED: Only 3 % of it can be decoded.\n',
  );
});

test('a name that leaves no room for the reason is moved all the same, and that is said', async () => {
  const root = temporaryFolder();
  const name = `${'n'.repeat(251)}.mp4`;
  const said = await setRefusedAside(root, refusable(root, name), damaged, '1');
  expect(said).toMatch(/ now; the reason cannot be written beside it: ENAMETOOLONG/);
  expect(readdirSync(join(root, 'refused'))).toEqual([name]);
});

test('what is not the fault of the file, or cannot be moved, leaves it where it is', async () => {
  const root = temporaryFolder();
  const path = refusable(root, 'a.mp4');
  expect(await setRefusedAside(root, path, { code: 'BAD_RECIPE', message: '' }, '1')).toBeNull();
  writeFileSync(join(root, 'refused'), 'in the way');
  expect(await setRefusedAside(root, path, damaged, '1')).toMatch(/^a\.mp4 stays where it is: /);
  expect(existsSync(path)).toBe(true);
});
