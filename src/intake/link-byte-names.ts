import { readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { access, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { codeOf, InputRejectedError } from '../domain/errors.ts';
import { linkFolder, linkPath } from '../lib/byte-name.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { makeFolder } from '../lib/make-folder.ts';
import type { FoundFile } from './find-files.ts';

/**
 * Gives each file whose name is not valid UTF-8 a link with a readable name, and the path of that link. Where no links can
 * be made, as on FAT, the file is unusable.
 */
export function linkByteNames(inputDir: string, files: readonly FoundFile[]): FoundFile[] {
  return files.map((file) => {
    const { inside, ...found } = file;
    return inside === undefined ? found : { ...found, ...linkTo(inputDir, inside, found) };
  });
}

function linkTo(inputDir: string, inside: Buffer, { path }: FoundFile): Partial<FoundFile> {
  const link = linkPath(inputDir, inside);
  try {
    makeFolder(dirname(link));
    // Relative, so that a home that is moved or copied finds its own files.
    const target = Buffer.concat([Buffer.from(`${relative(dirname(link), inputDir)}/`), inside]);
    if (readTarget(link)?.equals(target) === true) return { path: link };
    rmSync(link, { force: true });
    symlinkSync(target, link);
    return { path: link };
  } catch (error) {
    const message = `The name ${basename(path)} is not valid UTF-8, and no link to the file can be made (${codeOf(error)}); rename the file or its folder.`;
    return { unusable: new InputRejectedError('NAME_NOT_UTF8', message, { cause: error }) };
  }
}

function readTarget(link: string): Buffer | null {
  try {
    return readlinkSync(link, { encoding: 'buffer' });
  } catch (error) {
    if (isMissingFile(error)) return null;
    throw error;
  }
}

/** Removes the links of files that are gone. @param found the files of a complete scan */
export async function removeStaleLinks(inputDir: string, found: readonly FoundFile[]): Promise<void> {
  const folder = linkFolder(inputDir);
  const inUse = new Set(found.map(({ path }) => path));
  for (const hash of await readdirIfThere(folder)) {
    const links = await readdir(join(folder, hash), { recursive: true, withFileTypes: true });
    const paths = links
      .filter((each) => each.isSymbolicLink())
      .map((each) => join(each.parentPath, each.name));
    let isInUse = false;
    for (const path of paths) isInUse ||= inUse.has(path) || (await leadsSomewhere(path));
    if (!isInUse) await rm(join(folder, hash), { recursive: true, force: true });
  }
}

async function readdirIfThere(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissingFile(error)) return [];
    throw error;
  }
}

async function leadsSomewhere(link: string): Promise<boolean> {
  try {
    await access(link);
    return true;
  } catch (error) {
    return !isMissingFile(error);
  }
}
