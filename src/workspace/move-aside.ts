import { copyFile, realpath, rm, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../domain/errors.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { readFileSignature } from '../lib/file-signature.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { asUser } from '../lib/user-umask.ts';
import { sha256File } from '../lib/sha256-file.ts';
import { publishFile, renameIfFree, syncFolder } from './durable-file.ts';

/**
 * Moves a file durably into a folder, which is created if missing and may be on another file system. No file is ever
 * overwritten, even if two processes move files with the same name.
 *
 * @param homeId part of the name of the partial copy, because homes may share the folder
 * @param prefix put before the name if the folder contains another file with that name
 * @returns the new path
 */
export async function moveAside(
  homeId: string,
  path: string,
  folder: string,
  prefix: string,
): Promise<string> {
  asUser(() => makeFolder(folder));
  if ((await realpath(dirname(path))) === (await realpath(folder))) return path;
  const part = partOf(homeId, path, folder);
  for (const name of [basename(path), `${prefix}-${basename(path)}`]) {
    const target = join(folder, name);
    if (!(await isCopyOf(path, target))) {
      try {
        await move(path, target, part);
      } catch (error) {
        if (codeOf(error) === 'EEXIST') continue;
        throw error;
      }
    }
    await rm(part, { force: true });
    await rm(path, { force: true });
    await syncFolder(dirname(path));
    return target;
  }
  throw new Error(`${folder} already contains ${basename(path)} and ${prefix}-${basename(path)}`);
}

/** Moves or copies a file durably; the old file remains if it is on another file system. */
async function move(path: string, target: string, part: string): Promise<void> {
  try {
    await renameIfFree(path, target);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    try {
      const before = await readFileSignature(path);
      await copyFile(path, part);
      if ((await readFileSignature(path)) !== before)
        throw new Error(`${path} changed while it was copied`, { cause: error });
      await publishFile(part, target, 'moved-source', renameIfFree);
    } catch (failure) {
      await rm(part, { force: true });
      throw failure;
    }
  }
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
async function isCopyOf(path: string, target: string): Promise<boolean> {
  try {
    if ((await stat(target)).size !== (await stat(path)).size) return false;
  } catch (error) {
    if (isMissingFile(error)) return false;
    throw error;
  }
  return (await sha256File(target)) === (await sha256File(path));
}
