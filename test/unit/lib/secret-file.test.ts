import { readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readSecret } from '../../../src/lib/secret-file.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const SECRET = { pattern: /^s-\d+$/, expected: 's- and a number', make: () => 's-1' };

it('makes a secret that only its user can read, and keeps it', async () => {
  const path = join(temporaryFolder(), 'secret');
  expect(await readSecret({ ...SECRET, path })).toBe('s-1');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readSecret({ ...SECRET, path, make: () => 's-2' })).toBe('s-1');
});

it.each(['', '\0\0\0'])('replaces a torn file', async (content) => {
  const path = join(temporaryFolder(), 'secret');
  await writeFile(path, content);
  expect(await readSecret({ ...SECRET, path })).toBe('s-1');
});

it("never replaces a user's own file", async () => {
  const path = join(temporaryFolder(), 'secret');
  await writeFile(path, 'mine\n');
  await expect(readSecret({ ...SECRET, path })).rejects.toThrow(`${path} must contain s- and a number`);
  expect(await readFile(path, 'utf8')).toBe('mine\n');
});

it('fails on a link to nothing', async () => {
  const path = join(temporaryFolder(), 'secret');
  await symlink('gone/away', path);
  await expect(readSecret({ ...SECRET, path })).rejects.toThrow();
  expect(await readlink(path)).toBe('gone/away');
});
