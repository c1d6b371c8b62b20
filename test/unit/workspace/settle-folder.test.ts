import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { signatureOfImages } from '../../../src/lib/image-sequence.ts';
import { discardFolder, moveFolderAside } from '../../../src/workspace/settle-folder.ts';
import { HOME_ID } from '../../helpers/identified-home.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const IMAGES = ['1.png', '2.png'];

/** A folder of images that was signed before the change. */
async function signedFolder(change: (path: string) => void = () => undefined) {
  const root = temporaryFolder();
  const path = join(root, 'clip');
  mkdirSync(path);
  for (const name of IMAGES) writeFileSync(join(path, name), name);
  const signature = await signatureOfImages(path);
  change(path);
  return { root, source: { path, signature } };
}

test.each<[string, (path: string) => void]>([
  ['rewritten', (path) => writeFileSync(join(path, '2.png'), 'other content')],
  ['added', (path) => writeFileSync(join(path, '3.png'), 'x')],
])('a folder in which an image was %s is neither deleted nor moved', async (_, change) => {
  const { root, source } = await signedFolder(change);
  const images = readdirSync(source.path);
  await expect(discardFolder(HOME_ID, source, images)).rejects.toThrow(/images changed/);
  await expect(moveFolderAside(source, join(root, 'finished'), '1')).rejects.toThrow(/images changed/);
  expect(readdirSync(source.path)).toEqual(images);
});

test('a folder that has not changed is deleted', async () => {
  const { root, source } = await signedFolder();
  await discardFolder(HOME_ID, source, IMAGES);
  expect(readdirSync(root)).toEqual([]);
});

test('a folder whose images cannot be deleted keeps its name', async () => {
  const { root, source } = await signedFolder();
  chmodSync(root, 0o777);
  chmodSync(source.path, 0o555);
  onTestFinished(() => chmodSync(source.path, 0o700));
  // Root may delete everything.
  if (process.geteuid?.() === 0) {
    process.seteuid?.(65534);
    onTestFinished(() => process.seteuid?.(0));
  }
  await expect(discardFolder(HOME_ID, source, IMAGES)).rejects.toMatchObject({ code: 'EACCES' });
  expect(existsSync(source.path)).toBe(true);
  expect(readdirSync(source.path)).toEqual(IMAGES);
});
