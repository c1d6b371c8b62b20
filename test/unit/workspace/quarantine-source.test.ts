import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { quarantineSource } from '../../../src/workspace/quarantine-source.ts';
import { HOME_ID } from '../../helpers/identified-home.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const damaged = { code: 'DAMAGED' as const, message: 'Only 3 % of it can be decoded.' };

function rejectable(root: string, name: string, contents = 'x'): string {
  mkdirSync(join(root, 'input'), { recursive: true });
  const path = join(root, 'input', name);
  writeFileSync(path, contents);
  return path;
}

test('rejected files with the same name are moved with their reasons', async () => {
  const root = temporaryFolder();
  // The third is the second again and replaces it.
  for (const [prefix, contents] of [
    ['1', 'x'],
    ['2', 'y'],
    ['2', 'y'],
  ] as const) {
    const sentence = await quarantineSource(
      { id: HOME_ID, root },
      rejectable(root, 'a.mp4', contents),
      damaged,
      prefix,
    );
    expect(sentence).toMatch(/^a\.mp4 moved to quarantine\/(2-)?a\.mp4; the reason is in (2-)?a\.mp4\.txt$/);
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

test('a file is moved even if its name is too long for a note with the reason', async () => {
  const root = temporaryFolder();
  const name = `${'n'.repeat(251)}.mp4`;
  const sentence = await quarantineSource({ id: HOME_ID, root }, rejectable(root, name), damaged, '1');
  expect(sentence).toMatch(/ moved to quarantine\/n+\.mp4; cannot write n+\.mp4\.txt: ENAMETOOLONG/);
  expect(readdirSync(join(root, 'quarantine'))).toEqual([name]);
});

test('a file is not moved for faults of others, or if the move fails', async () => {
  const root = temporaryFolder();
  const path = rejectable(root, 'a.mp4');
  expect(
    await quarantineSource({ id: HOME_ID, root }, path, { code: 'BAD_RECIPE', message: '' }, '1'),
  ).toBeNull();
  writeFileSync(join(root, 'quarantine'), 'in the way');
  expect(await quarantineSource({ id: HOME_ID, root }, path, damaged, '1')).toMatch(
    /^a\.mp4 cannot be moved to quarantine\/: /,
  );
  expect(existsSync(path)).toBe(true);
});
