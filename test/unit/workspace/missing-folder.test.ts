import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { whyMissing } from '../../../src/workspace/missing-folder.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const NO_MOUNTS = { isKnown: () => false, remember: () => undefined, forget: () => undefined };

test('a folder that cannot be used is named, with the reason and what to do', async () => {
  const root = temporaryFolder();
  const path = (name: string): string => join(root, name);
  mkdirSync(path('folder'));
  writeFileSync(path('file'), '');
  symlinkSync(path('nowhere'), path('link'));
  expect(await whyMissing(path('folder'), NO_MOUNTS)).toBeNull();
  expect(await whyMissing(path('nothing'), NO_MOUNTS)).toBeNull();
  const instead = 'is not a folder; move away the file that is in its place.';
  expect(await whyMissing(path('file'), NO_MOUNTS)).toBe(`${path('file')} ${instead}`);
  expect(await whyMissing(path('file/below'), NO_MOUNTS)).toBe(`${path('file/below')} ${instead}`);
  expect(await whyMissing(path('link'), NO_MOUNTS)).toBe(
    `${path('link')} is missing (it is a symbolic link to a folder that does not exist); reconnect its disk or correct the link.`,
  );
});
