import { createHash } from 'node:crypto';
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { codeOf } from '../domain/errors.ts';
import { placeIn, placeOf, shownName, splitPlace, type Place } from '../lib/byte-name.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { assertSameImages } from '../lib/image-sequence.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { asUser } from '../lib/user-umask.ts';
import { syncFolder } from './durable-file.ts';

/*
 * A folder of images is moved or deleted as a whole, by one rename: half of a sequence would be taken for another one.
 */

/** A folder of images as it was before it was read. */
export interface SignedFolder {
  /** Absolute. */
  readonly path: string;
  /** By `signatureOfImages`. */
  readonly signature: string;
}

/**
 * Moves a folder durably into another one on the same file system.
 *
 * @param prefix put before the name if there is another file or folder with that name
 * @throws Error if its images have changed or it cannot be moved; it then stays complete
 */
export async function moveFolderAside(
  { path, signature }: SignedFolder,
  into: string,
  prefix: string,
): Promise<void> {
  const place = await placeOf(path);
  const { folder, name } = splitPlace(place);
  asUser(() => makeFolder(into));
  const isTaken = await exists(placeIn(into, name));
  const target = isTaken ? join(into, `${prefix}-${shownName(name)}`) : placeIn(into, name);
  if (isTaken && (await exists(target)))
    throw new Error(`${into} already contains ${basename(path)} and ${prefix}-${basename(path)}`);
  try {
    await renameUnchanged(place, target, signature);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    throw new Error(`${into} is on another disk, and a folder of images is not copied; move it yourself`, {
      cause: error,
    });
  }
  await syncFolder(into);
  await syncFolder(folder);
}

/** Renames a folder, and renames it back if an image was changed or added until then. */
async function renameUnchanged(from: Place, to: Place, signature: string): Promise<void> {
  await assertSameImages(from, signature);
  await rename(from, to);
  try {
    await assertSameImages(to, signature);
  } catch (error) {
    await rename(to, from);
    throw error;
  }
}

/** Files that operating systems leave in folders. */
const SYSTEM_FILES: ReadonlySet<string> = new Set(['Thumbs.db', 'desktop.ini', '.DS_Store']);

/**
 * Deletes a folder of images durably.
 *
 * @param images names of the files that may be deleted
 * @throws Error if the images have changed, it contains anything else, or it cannot be deleted; it then stays complete, or
 * `discardedPlace` has what is left of it
 */
export async function discardFolder(
  homeId: string,
  { path, signature }: SignedFolder,
  images: readonly string[],
): Promise<void> {
  const place = await placeOf(path);
  const known = new Set(images);
  const other = (await readdir(place)).find((name) => !known.has(name) && !SYSTEM_FILES.has(name));
  if (other !== undefined)
    throw new Error(`${basename(path)} also contains ${other}, which is not part of the sequence`);
  const discarded = await discardedPlace(homeId, path);
  await renameUnchanged(place, discarded, signature);
  try {
    await syncFolder(splitPlace(place).folder);
    await rm(discarded, { recursive: true, force: true });
  } catch (error) {
    const isComplete = await assertSameImages(discarded, signature).then(
      () => true,
      () => false,
    );
    if (isComplete) await rename(discarded, place);
    throw error;
  }
}

/** Removes what a kill has left of a folder that was being deleted. */
export async function removeDiscarded(homeId: string, path: string): Promise<void> {
  await rm(await discardedPlace(homeId, path), { recursive: true, force: true });
}

/**
 * Where a folder is while it is being deleted: a hidden name, which the scan skips. The ID of the home is in it because homes may
 * share the folder.
 */
export async function discardedPlace(homeId: string, path: string): Promise<Place> {
  const { folder } = splitPlace(await placeOf(path));
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
