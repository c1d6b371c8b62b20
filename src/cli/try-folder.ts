import { mkdir, readdir } from 'node:fs/promises';
import { basename, parse, resolve } from 'node:path';
import { codeOf, ConfigurationError } from '../domain/errors.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { nextFileName } from '../lib/next-file-name.ts';

/**
 * Creates the folder for the images of `framekiln try`: one that did not exist before or is empty, so that no file is replaced.
 *
 * @param wanted null: `try-NAME` in the current folder, or the next free name
 * @returns its absolute path
 * @throws ConfigurationError if the wanted folder has files
 */
export async function makeTryFolder(source: string, wanted: string | null): Promise<string> {
  if (wanted !== null) {
    const path = resolve(wanted);
    const fault = `The folder ${path} is not empty; choose another one with --out.`;
    if (!(await isFree(path))) throw new ConfigurationError(fault, [fault]);
    await mkdir(path, { recursive: true });
    return path;
  }
  let path = resolve(`try-${parse(source).name}`);
  while (!(await isFree(path))) path = nextFileName(path);
  await mkdir(path, { recursive: true });
  return path;
}

async function isFree(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length === 0;
  } catch (error) {
    if (isMissingFile(error)) return true;
    if (codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/** File name of the image that a model made. */
export function imageName(model: string): string {
  return `${basename(model).replace(/[^\w.-]/g, '_')}.png`;
}
