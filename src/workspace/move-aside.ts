import { copyFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../domain/errors.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { sha256File } from '../lib/sha256-file.ts';
import { publishFile, syncFolder } from './durable-file.ts';

/**
 * Moves a file into a folder, which is made where it is missing and may lie on another file system. The move is
 * durable when this returns.
 *
 * @param prefix goes before its name when another file of that name is there already
 * @returns where it is now
 */
export async function moveAside(path: string, folder: string, prefix: string): Promise<string> {
  makeFolder(folder);
  const plain = join(folder, basename(path));
  const target = (await isTakenByAnother(plain, path)) ? join(folder, `${prefix}-${basename(path)}`) : plain;
  try {
    await rename(path, target);
    await syncFolder(folder);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    await copyFile(path, `${target}.part`);
    await publishFile(`${target}.part`, target, 'moved-source');
    await rm(path);
  }
  await syncFolder(dirname(path));
  return target;
}

/** A copy of the same content is what a move to another file system left that was broken off. */
async function isTakenByAnother(place: string, path: string): Promise<boolean> {
  try {
    if ((await stat(place)).size !== (await stat(path)).size) return true;
  } catch (error) {
    if (isMissingFile(error)) return false;
    throw error;
  }
  return (await sha256File(place)) !== (await sha256File(path));
}
