import { lstatSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs';
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
    const wanted = [() => relative(dirname(link), inputDir), () => realWayTo(inputDir, dirname(link))];
    const isRight = (): boolean => leadsTo(link, Buffer.concat([Buffer.from(`${inputDir}/`), inside]));
    for (const way of wanted) {
      if (isRight()) return { path: link };
      rmSync(link, { force: true });
      symlinkSync(Buffer.concat([Buffer.from(`${way()}/`), inside]), link);
    }
    if (isRight()) return { path: link };
    throw Object.assign(new Error(`${link} leads to another file`), { code: 'ENOENT' });
  } catch (error) {
    const message = `The name ${basename(path)} is not valid UTF-8, and no link to the file can be made (${codeOf(error)}); rename the file or its folder.`;
    return { unusable: new InputRejectedError('NAME_NOT_UTF8', message, { cause: error }) };
  }
}

/** Where the state folder is reached through a link, `..` leads out of what that leads to. */
function realWayTo(inputDir: string, folder: string): string {
  return relative(realpathSync(folder), realpathSync(inputDir));
}

/** Whether a link leads to a file; any link is right if the file is gone, as the next scan notices that. */
function leadsTo(link: string, file: Buffer): boolean {
  const found = lstatSync(file, { throwIfNoEntry: false });
  const reached = statSync(link, { throwIfNoEntry: false });
  return found === undefined || (reached?.dev === found.dev && reached.ino === found.ino);
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
