import { copyFile, realpath, rm, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../domain/errors.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { sha256File } from '../lib/sha256-file.ts';
import { publishFile, renameIfFree, syncFolder } from './durable-file.ts';

/**
 * Moves a file durably into a folder, which is created if missing and may be on another file system. No file is ever
 * overwritten, even if two processes move files with the same name.
 *
 * @param prefix put before the name if the folder contains another file with that name
 * @returns the new path
 */
export async function moveAside(path: string, folder: string, prefix: string): Promise<string> {
  makeFolder(folder);
  if ((await realpath(dirname(path))) === (await realpath(folder))) return path;
  for (const name of [basename(path), `${prefix}-${basename(path)}`]) {
    const target = join(folder, name);
    if (!(await isCopyOf(path, target))) {
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
  throw new Error(`${folder} already contains ${basename(path)} and ${prefix}-${basename(path)}`);
}

/** Moves or copies a file durably; the old file remains if it is on another file system. */
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

/** Partial copy of a file that is moved; a repeated move uses the same name and so replaces the copy that a kill left. */
function partOf(path: string, folder: string): string {
  return join(folder, `.framekiln-${createHash('sha256').update(path).digest('hex').slice(0, 16)}.part`);
}

/** Whether this is the name of a partial copy. */
export function isHalfMove(name: string): boolean {
  return /^\.framekiln-[0-9a-f]{16}\.part$/.test(name);
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
