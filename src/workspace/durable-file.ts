import { existsSync } from 'node:fs';
import { link, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../domain/errors.ts';
import { failPoint, type PublishedFile } from '../lib/fail-point.ts';

/**
 * Makes a finished temporary file durable under its final name, in one step that a reader sees whole or not at all
 * (R5): fdatasync, rename, fsync of the folder. A failed fsync condemns the file: the error goes up and the caller
 * makes the file anew, because the kernel may have dropped the pages (a second fsync would claim success).
 *
 * Both names must lie on the same file system.
 *
 * @param what for fail points
 * @param give gives it its name: `renameIfFree` where another file of that name must stay
 */
export async function publishFile(
  temporaryPath: string,
  finalPath: string,
  what: PublishedFile,
  give: (from: string, to: string) => Promise<void> = rename,
): Promise<void> {
  failPoint(`${what}.before-datasync`);
  const file = await open(temporaryPath, 'r');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
  failPoint(`${what}.before-rename`);
  await give(temporaryPath, finalPath);
  failPoint(`${what}.before-folder-sync`);
  await syncFolder(dirname(finalPath));
  failPoint(`${what}.published`);
}

/** What file systems without second names (FAT, some of the model) answer, and Linux for files of other people. */
const NO_LINKS: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
  'EACCES',
]);

/**
 * As `rename`, durably, and never over another file: both names stand for an instant, and a crash then leaves both.
 *
 * @throws EEXIST where there is a file of that name
 */
export async function renameIfFree(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!NO_LINKS.has(codeOf(error))) throw error;
    if (existsSync(to)) throw Object.assign(new Error(`${to} is there already`), { code: 'EEXIST' });
    await rename(from, to);
    await syncFolder(dirname(to));
    return;
  }
  try {
    await syncFolder(dirname(to));
    await rm(from);
  } catch (error) {
    // Its folder may not be written: the file stays where it is, under one name.
    if (existsSync(from)) await rm(to);
    throw error;
  }
}

/** Writes a whole file so that its name is absent, as it was, or complete, at every instant. */
export async function writeFileDurably(
  finalPath: string,
  bytes: Uint8Array | string,
  what: 'frame-index' | 'report' | 'other-file' = 'other-file',
): Promise<void> {
  const temporaryPath = `${finalPath}.tmp`;
  failPoint(`${what}.before-write`);
  await writeFile(temporaryPath, bytes);
  await publishFile(temporaryPath, finalPath, what);
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
