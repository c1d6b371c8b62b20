import { copyFile, realpath, rm, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../domain/errors.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { sha256File } from '../lib/sha256-file.ts';
import { publishFile, renameIfFree, syncFolder } from './durable-file.ts';

/**
 * Moves a file into a folder, which is made where it is missing and may lie on another file system. The move is
 * durable when this returns. Two files of one name may be moved at once, also by two processes: no file is overwritten.
 *
 * @param prefix goes before its name when another file of that name is there already
 * @returns where it is now
 */
export async function moveAside(path: string, folder: string, prefix: string): Promise<string> {
  makeFolder(folder);
  if ((await realpath(dirname(path))) === (await realpath(folder))) return path;
  for (const name of [basename(path), `${prefix}-${basename(path)}`]) {
    const target = join(folder, name);
    if (!(await isLeftOf(path, target))) {
      try {
        await move(path, target);
      } catch (error) {
        if (codeOf(error) === 'EEXIST') continue;
        throw error;
      }
    }
    await rm(partOf(path, folder), { force: true });
    await rm(path, { force: true });
    await syncFolder(dirname(path));
    return target;
  }
  throw new Error(`${folder} holds other files of its name, with and without ${prefix}-`);
}

/** Gives the file's content the name `target` durably; the old name is there still where it is on another file system. */
async function move(path: string, target: string): Promise<void> {
  try {
    await renameIfFree(path, target);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    const part = partOf(path, dirname(target));
    try {
      await copyFile(path, part);
      await publishFile(part, target, 'moved-source', renameIfFree);
    } catch (failure) {
      await rm(part, { force: true });
      throw failure;
    }
  }
}

/** Its own for each file that is moved, and the same when the move is done again: what a kill leaves is not left. */
function partOf(path: string, folder: string): string {
  return join(folder, `.framekiln-${createHash('sha256').update(path).digest('hex').slice(0, 16)}.part`);
}

/** Whether a file of this name is such a copy. */
export function isHalfMove(name: string): boolean {
  return /^\.framekiln-[0-9a-f]{16}\.part$/.test(name);
}

/** Whether a move of this file that was broken off left it, whole, at `target`: its content says so. */
async function isLeftOf(path: string, target: string): Promise<boolean> {
  try {
    if ((await stat(target)).size !== (await stat(path)).size) return false;
  } catch (error) {
    if (isMissingFile(error)) return false;
    throw error;
  }
  return (await sha256File(target)) === (await sha256File(path));
}
