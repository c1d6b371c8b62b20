import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InputRejectedError } from '../../../src/domain/errors.ts';
import { fileSignature, type SignedFile } from '../../../src/lib/file-signature.ts';
import { quarantineSource } from '../../../src/workspace/quarantine-source.ts';
import { HOME_ID } from '../../helpers/identified-home.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const damaged = new InputRejectedError('DAMAGED', 'Only 3 % of it can be decoded.');

function rejectable(root: string, name: string, contents = 'x'): SignedFile {
  mkdirSync(join(root, 'input'), { recursive: true });
  const path = join(root, 'input', name);
  writeFileSync(path, contents);
  return signed(path);
}

function signed(path: string): SignedFile {
  return { path, signature: fileSignature(statSync(path, { bigint: true })) };
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
  const file = rejectable(root, 'a.mp4');
  expect(
    await quarantineSource({ id: HOME_ID, root }, file, new InputRejectedError('BAD_RECIPE', ''), '1'),
  ).toBeNull();
  writeFileSync(join(root, 'quarantine'), 'in the way');
  expect(await quarantineSource({ id: HOME_ID, root }, file, damaged, '1')).toMatch(
    /^a\.mp4 cannot be moved to quarantine\/: /,
  );
  expect(existsSync(file.path)).toBe(true);
});

test('a file that has changed since it was read is not moved, also if no process has it open', async () => {
  const root = temporaryFolder();
  const file = rejectable(root, 'a.mp4');
  writeFileSync(file.path, 'the rest of a copy');
  expect(await quarantineSource({ id: HOME_ID, root }, file, damaged, '1')).toBe(
    'a.mp4 cannot be moved to quarantine/: a.mp4 changed after it was read.',
  );
  expect(readFileSync(file.path, 'utf8')).toBe('the rest of a copy');
});
