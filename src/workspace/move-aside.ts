import { copyFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { codeOf } from '../domain/errors.ts';
import { makeFolder } from '../lib/make-folder.ts';
import { publishFile } from './durable-file.ts';
import { sizeOrZero } from './frame-files.ts';

/**
 * Moves a file into a folder, which is made where it is missing and may lie on another file system.
 *
 * @param prefix goes before its name when a file of that name is there already
 * @returns where it is now
 */
export async function moveAside(path: string, folder: string, prefix: string): Promise<string> {
  makeFolder(folder);
  const plain = join(folder, basename(path));
  const target = (await sizeOrZero(plain)) > 0 ? join(folder, `${prefix}-${basename(path)}`) : plain;
  try {
    await rename(path, target);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    await copyFile(path, `${target}.part`);
    await publishFile(`${target}.part`, target, 'moved-source');
    await rm(path);
  }
  return target;
}
