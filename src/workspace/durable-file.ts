import { closeSync, existsSync, openSync } from 'node:fs';
import { link, lstat, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { codeOf } from '../domain/errors.ts';
import { shownName, splitPlace, type Place } from '../lib/byte-name.ts';
import { asUser } from '../lib/user-umask.ts';
import { failPoint, type PublishedFile } from '../lib/fail-point.ts';

/**
 * Gives a finished temporary file its final name, durably and atomically: fdatasync, rename, fsync of the folder. After a
 * failed fsync the caller must write the file again, because the kernel may have dropped its pages and a second fsync would
 * report success.
 *
 * Both names must be on the same file system.
 *
 * @param what name of the fail points
 * @param give renames the file; `renameIfFree` never replaces another file
 */
export async function publishFile(
  temporaryPath: string,
  finalPath: Place,
  what: PublishedFile,
  give: (from: string, to: Place) => Promise<void> = rename,
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
  await syncFolder(splitPlace(finalPath).folder);
  failPoint(`${what}.published`);
}

/** Errors of link(2) on file systems without hard links (FAT, some network file systems), and for files of other users. */
const NO_LINKS: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
  'EACCES',
]);

/**
 * Renames a file durably and never replaces another one. Both names exist for an instant, and a crash may leave both; without
 * hard links it may leave a placeholder, which `isPlaceholder` recognises.
 *
 * @param homeId written into the placeholder
 * @throws EEXIST if the new name is taken
 */
export async function renameIfFree(from: Place, to: Place, homeId: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const isTakenByUs = codeOf(error) === 'EEXIST' && (await isPlaceholder(to, homeId));
    if (!isTakenByUs && !NO_LINKS.has(codeOf(error))) throw error;
    await renameOverPlaceholder(from, to, homeId);
    return;
  }
  try {
    await syncFolder(splitPlace(to).folder);
    await rm(from);
  } catch (error) {
    // The folder may be read-only: keep the old name only.
    if (existsSync(from)) await rm(to);
    throw error;
  }
}

/**
 * Without hard links, only the creation of a file tells whether its name was free: a small file takes the name, and the
 * rename replaces that.
 */
async function renameOverPlaceholder(from: Place, to: Place, homeId: string): Promise<void> {
  const text = placeholderOf(homeId);
  try {
    await writeFile(to, text, { flag: 'wx' });
  } catch (error) {
    // One that a kill left is used again.
    if (codeOf(error) !== 'EEXIST' || !(await isPlaceholder(to, homeId))) throw error;
  }
  failPoint('placeholder.made');
  // Another program may have opened it, or put its own file there.
  if (!(await isPlaceholder(to, homeId)))
    throw Object.assign(new Error(`${shownName(to)} already exists`), { code: 'EEXIST' });
  await rename(from, to);
  await syncFolder(splitPlace(to).folder);
}

function placeholderOf(homeId: string): string {
  return `Framekiln (${homeId}) has reserved this name for a video that is about to be moved here.\n`;
}

/** Whether a file only keeps a name for this home until a finished file replaces it. */
export async function isPlaceholder(path: Place, homeId: string): Promise<boolean> {
  const text = placeholderOf(homeId);
  const stats = await lstat(path).catch(() => null);
  return stats?.isFile() === true && stats.size === text.length && (await readFile(path, 'utf8')) === text;
}

/**
 * Creates an empty file with the rights that the user's umask gives, for a program that then writes it. A link with this
 * name is not followed.
 *
 * @throws EEXIST if the name is taken
 */
export function createForUser(path: string): void {
  asUser(() => closeSync(openSync(path, 'wx')));
}

/**
 * Writes a file durably and atomically: at any instant, the file has its old or its new content. `other-file` is a file for
 * people, whose rights follow the user's umask; the others are private.
 */
export async function writeFileDurably(
  finalPath: string,
  bytes: Uint8Array | string,
  what: 'frame-index' | 'report' | 'other-file' = 'other-file',
): Promise<void> {
  const temporaryPath = `${finalPath}.tmp`;
  failPoint(`${what}.before-write`);
  if (what === 'other-file') {
    await rm(temporaryPath, { force: true });
    createForUser(temporaryPath);
  }
  await writeFile(temporaryPath, bytes);
  await publishFile(temporaryPath, finalPath, what);
}

/** Makes created, renamed and deleted names in a folder durable. */
export async function syncFolder(path: Place): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
