import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findFiles, signatureOf } from '../../../src/intake/find-files.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** Makes root, which may read everything, an ordinary user until the test ends. */
function becomeOrdinaryUser(): void {
  if (process.geteuid?.() !== 0) return;
  process.seteuid?.(65534);
  onTestFinished(() => process.seteuid?.(0));
}

test('a folder of images that cannot be read is reported, and the other files are found', async () => {
  const input = temporaryFolder();
  const locked = join(input, 'locked');
  mkdirSync(locked);
  writeFileSync(join(locked, '1.png'), 'x');
  writeFileSync(`${locked}.recipe.yaml`, 'frameRate: 25\n');
  writeFileSync(join(input, 'other.mp4'), 'x');
  chmodSync(input, 0o755);
  chmodSync(locked, 0);
  onTestFinished(() => chmodSync(locked, 0o700));
  becomeOrdinaryUser();
  const { files, unreadable } = await findFiles(input);
  expect(files.map(({ path }) => path)).toEqual([join(input, 'other.mp4')]);
  expect(unreadable).toEqual([{ folder: locked, code: 'EACCES' }]);
  expect(await signatureOf(locked, input)).toBeNull();
});
