import { createHash } from 'node:crypto';
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { codeOf } from '../domain/errors.ts';
import { placeIn, placeOf, shownName, splitPlace, type Place } from '../lib/byte-name.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { asUser } from '../lib/user-umask.ts';
import { syncFolder } from './durable-file.ts';

/*
 * A folder of images is moved or deleted as a whole, by one rename: half of a sequence would be taken for another one.
 */

/**
 * Moves a folder durably into another one on the same file system.
 *
 * @param prefix put before the name if there is another file or folder with that name
 * @throws Error if it cannot be moved; it then stays complete
 */
export async function moveFolderAside(path: string, into: string, prefix: string): Promise<void> {
  const place = await placeOf(path);
  const { folder, name } = splitPlace(place);
  asUser(() => makeFolder(into));
  const isTaken = await exists(placeIn(into, name));
  const target = isTaken ? join(into, `${prefix}-${shownName(name)}`) : placeIn(into, name);
  if (isTaken && (await exists(target)))
    throw new Error(`${into} already contains ${basename(path)} and ${prefix}-${basename(path)}`);
  try {
    await rename(place, target);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    throw new Error(`${into} is on another disk, and a folder of images is not copied; move it yourself`, {
      cause: error,
    });
  }
  await syncFolder(into);
  await syncFolder(folder);
}

/** Files that operating systems leave in folders. */
const SYSTEM_FILES: ReadonlySet<string> = new Set(['Thumbs.db', 'desktop.ini', '.DS_Store']);

/**
 * Deletes a folder of images durably.
 *
 * @param images names of the files that may be deleted
 * @throws Error if it contains anything else; it then stays complete
 */
export async function discardFolder(homeId: string, path: string, images: readonly string[]): Promise<void> {
  const place = await placeOf(path);
  const known = new Set(images);
  const other = (await readdir(place)).find((name) => !known.has(name) && !SYSTEM_FILES.has(name));
  if (other !== undefined)
    throw new Error(`${basename(path)} also contains ${other}, which is not part of the sequence`);
  const { folder } = splitPlace(place);
  await rename(place, discardedPlace(homeId, path, folder));
  await syncFolder(folder);
  await removeDiscarded(homeId, path);
}

/** Removes what a kill has left of a folder that was being deleted. */
export async function removeDiscarded(homeId: string, path: string): Promise<void> {
  const { folder } = splitPlace(await placeOf(path));
  await rm(discardedPlace(homeId, path, folder), { recursive: true, force: true });
}

/** A hidden name, which the scan skips. The ID of the home is in it because homes may share the folder. */
function discardedPlace(homeId: string, path: string, folder: Place): Place {
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 16);
  return placeIn(folder, `.framekiln-${homeId}-${hash}.deleted`);
}

async function exists(place: Place): Promise<boolean> {
  try {
    await lstat(place);
    return true;
  } catch (error) {
    if (isMissingFile(error)) return false;
    throw error;
  }
}
