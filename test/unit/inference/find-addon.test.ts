import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { addonPackage, findAddon, installedAddonPath } from '../../../src/inference/find-addon.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

function touch(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  return path;
}

test('an addon that was installed comes before that of the npm package, and that one before one built here', () => {
  const folder = temporaryFolder();
  const root = join(folder, 'node_modules/framekiln');
  expect(findAddon('cuda', root)).toBeNull();
  const built = touch(join(root, 'native-cuda/build/framekiln_cuda.node'));
  expect(findAddon('cuda', root)).toBe(built);
  // npm puts the package beside the program, or below it.
  const packaged = touch(join(folder, 'node_modules', addonPackage('cuda'), 'framekiln_cuda.node'));
  expect(findAddon('cuda', root)).toBe(packaged);
  const installed = touch(installedAddonPath('cuda', root));
  expect(findAddon('cuda', root)).toBe(installed);
  expect(findAddon('cpu', root)).toBeNull();
});
