import { copyFile, realpath, rm, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { codeOf } from '../domain/errors.ts';
import { placeIn, placeOf, shownName, splitPlace, type Place } from '../lib/byte-name.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { assertSameFile, type SignedFile } from '../lib/file-signature.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { asUser } from '../lib/user-umask.ts';
import { sha256File } from '../lib/sha256-file.ts';
import { publishFile, renameIfFree, syncFolder } from './durable-file.ts';

/**
 * Moves a file durably into a folder, which is created if missing and may be on another file system. No file is ever
 * overwritten, even if two processes move files with the same name, and a file that has changed since it was read stays.
 *
 * @param homeId part of the name of the partial copy, because homes may share the folder
 * @param prefix put before the name if the folder contains another file with that name
 * @returns the new path, in which bytes that are not valid UTF-8 are written as `\xe9`
 */
export async function moveAside(
  homeId: string,
  file: SignedFile,
  folder: string,
  prefix: string,
): Promise<string> {
  const place = await placeOf(file.path);
  const { folder: before, name: ownName } = splitPlace(place);
  asUser(() => makeFolder(folder));
  if ((await realpath(before)) === (await realpath(folder))) return shownName(place);
  const part = partOf(homeId, file.path, folder);
  const shown = basename(file.path);
  for (const name of [ownName, withPrefix(prefix, ownName)]) {
    const target = placeIn(folder, name);
    try {
      if (await isCopyOf(place, target)) await removeOriginal(file);
      else await move(homeId, file, target, part);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') continue;
      throw error;
    }
    await rm(part, { force: true });
    return shownName(target);
  }
  throw new Error(`${folder} already contains ${shown} and ${prefix}-${shown}`);
}

function withPrefix(prefix: string, name: Place): Place {
  const start = `${prefix}-`;
  return typeof name === 'string' ? start + name : Buffer.concat([Buffer.from(start), name]);
}

/** Moves a file durably, by a copy if the folder is on another file system. */
async function move(homeId: string, file: SignedFile, target: Place, part: string): Promise<void> {
  await assertSameFile(file);
  try {
    const place = await placeOf(file.path);
    await renameIfFree(place, target, homeId);
    await syncFolder(splitPlace(place).folder);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    await copy(homeId, file, target, part);
    await removeOriginal(file);
  }
}

async function copy(homeId: string, file: SignedFile, target: Place, part: string): Promise<void> {
  try {
    await copyFile(file.path, part);
    await assertSameFile(file);
    await publishFile(part, target, 'moved-source', (from, to) => renameIfFree(from, to, homeId));
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** Removes a file that has a complete copy, unless another file has its name by now. */
async function removeOriginal(file: SignedFile): Promise<void> {
  await assertSameFile(file);
  const place = await placeOf(file.path);
  await rm(place);
  await syncFolder(splitPlace(place).folder);
}

/** Partial copy of a file that is moved; a repeated move uses the same name and so replaces the copy that a kill left. */
function partOf(homeId: string, path: string, folder: string): string {
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 16);
  return join(folder, `.framekiln-${homeId}-${hash}.part`);
}

/** Whether this is the name of a partial copy that this home made. */
export function isHalfMove(homeId: string, name: string): boolean {
  return new RegExp(`^\\.framekiln-${homeId}-[0-9a-f]{16}\\.part$`).test(name);
}

/** Whether an interrupted move has already put the complete file at `target`; compares contents. */
async function isCopyOf(path: Place, target: Place): Promise<boolean> {
  try {
    if ((await stat(target)).size !== (await stat(path)).size) return false;
  } catch (error) {
    if (isMissingFile(error)) return false;
    throw error;
  }
  return (await sha256File(target)) === (await sha256File(path));
}
