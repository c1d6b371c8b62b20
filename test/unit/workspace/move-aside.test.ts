import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fileSignature, type SignedFile } from '../../../src/lib/file-signature.ts';
import { moveAside } from '../../../src/workspace/move-aside.ts';
import { HOME_ID } from '../../helpers/identified-home.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const MEGABYTE = 1 << 20;

/** Folders with different files named `clip.mp4`, and a folder to move them to, on the same or another file system. */
function places(where: 'here' | 'elsewhere', count = 2) {
  const root = temporaryFolder();
  const sources = Array.from({ length: count }, (_, i) => {
    mkdirSync(join(root, `${i}`));
    const path = join(root, `${i}/clip.mp4`);
    writeFileSync(path, Buffer.alloc((20 + i) * MEGABYTE, i + 1));
    return path;
  });
  const folder = where === 'here' ? join(root, 'finished') : `/dev/shm/framekiln-test-move-${process.pid}`;
  mkdirSync(folder);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return { sources, folder, isElsewhere: statSync(folder).dev !== statSync(root).dev };
}

/** The file as it is now. */
function signed(path: string): SignedFile {
  return { path, signature: fileSignature(statSync(path, { bigint: true })) };
}

/** The value of all bytes of a file; -1 if they differ. */
function valueOf(path: string): number {
  const bytes = readFileSync(path);
  return bytes.equals(Buffer.alloc(bytes.length, bytes[0])) ? (bytes[0] ?? -1) : -1;
}

test.each(['here', 'elsewhere'] as const)(
  'files with the same name that are moved at the same time all arrive complete (folder %s)',
  async (where) => {
    const { sources, folder, isElsewhere } = places(where, 3);
    if (where === 'elsewhere' && !isElsewhere) return;
    const moved = await Promise.all(
      sources.slice(0, 2).map((path, i) => moveAside(HOME_ID, signed(path), folder, String(i))),
    );
    moved.push(await moveAside(HOME_ID, signed(sources[2] ?? ''), folder, '2'));
    expect(readdirSync(folder).toSorted()).toEqual(
      moved.map((path) => path.slice(folder.length + 1)).toSorted(),
    );
    expect(moved.map(valueOf)).toEqual([1, 2, 3]);
    expect(moved.map((path) => statSync(path).size / MEGABYTE)).toEqual([20, 21, 22]);
    expect(sources.filter((path) => existsSync(path))).toEqual([]);
  },
);

test('an interrupted move is completed, and its partial copy deleted', async () => {
  const { sources, folder } = places('elsewhere');
  const [path = ''] = sources;
  copyFileSync(path, join(folder, 'clip.mp4'));
  const part = `.framekiln-${HOME_ID}-${createHash('sha256').update(path).digest('hex').slice(0, 16)}.part`;
  copyFileSync(path, join(folder, part));
  expect(await moveAside(HOME_ID, signed(path), folder, '1')).toBe(join(folder, 'clip.mp4'));
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(folder)).toEqual(['clip.mp4']);
});

test('a file that is already in the folder is not moved', async () => {
  const { sources } = places('here');
  const [path = ''] = sources;
  expect(await moveAside(HOME_ID, signed(path), join(path, '..'), '1')).toBe(path);
  expect(valueOf(path)).toBe(1);
});

test('nothing is moved or overwritten if other files have both names', async () => {
  const { sources, folder } = places('here');
  for (const name of ['clip.mp4', '1-clip.mp4']) writeFileSync(join(folder, name), name);
  await expect(moveAside(HOME_ID, signed(sources[0] ?? ''), folder, '1')).rejects.toThrow(
    /already contains clip\.mp4 and 1-clip\.mp4/,
  );
  expect(readFileSync(join(folder, '1-clip.mp4'), 'utf8')).toBe('1-clip.mp4');
  expect(valueOf(sources[0] ?? '')).toBe(1);
});

test.each([
  ['here', 'replaced'],
  ['here', 'written in place'],
  ['elsewhere', 'written in place'],
] as const)('a file that has changed since it was read stays (folder %s, %s)', async (where, how) => {
  const { sources, folder, isElsewhere } = places(where);
  if (where === 'elsewhere' && !isElsewhere) return;
  const [path = ''] = sources;
  const file = signed(path);
  if (how === 'replaced') {
    writeFileSync(`${path}.new`, readFileSync(path));
    utimesSync(`${path}.new`, statSync(path).atime, statSync(path).mtime);
    renameSync(`${path}.new`, path);
  } else writeFileSync(path, Buffer.alloc(20 * MEGABYTE, 9));
  await expect(moveAside(HOME_ID, file, folder, '1')).rejects.toThrow('clip.mp4 changed after it was read.');
  expect(valueOf(path)).toBe(how === 'replaced' ? 1 : 9);
  expect(readdirSync(folder)).toEqual([]);
});

test('a file that changes while it is copied to another file system stays, also if a copy of it is there', async () => {
  const { sources, folder, isElsewhere } = places('elsewhere');
  if (!isElsewhere) return;
  const [path = ''] = sources;
  const file = signed(path);
  copyFileSync(path, join(folder, 'clip.mp4'));
  const later = new Date(Date.now() + 60_000);
  utimesSync(path, later, later);
  await expect(moveAside(HOME_ID, file, folder, '1')).rejects.toThrow('changed after it was read');
  expect(valueOf(path)).toBe(1);
  expect(readdirSync(folder)).toEqual(['clip.mp4']);
});
