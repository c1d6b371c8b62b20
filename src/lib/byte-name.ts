import { createHash } from 'node:crypto';
import { readlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { isMissingFile } from './file-errors.ts';

/*
 * Names that are not valid UTF-8. A path is a string nearly everywhere, in the database and in the arguments of ffmpeg too, and
 * a string cannot hold such a name. Such a file is therefore read through a symbolic link with a readable name,
 * `.framekiln/names/HASH/caf\xe9.mp4`, whose path is the path of the source. Only what must act on the file itself, and not on
 * the link, asks for its place. See docs/decisions/0054-names-that-are-not-utf8.md.
 */

/** A path for functions of node:fs: bytes if it is not valid UTF-8. */
export type Place = string | Buffer;

/** Folder of the links, in the state folder of a home. */
const LINKS = '/.framekiln/names/';
const LINK = /\/\.framekiln\/names\/[0-9a-f]{16}\/(.+)$/s;

/** Folder of the links of the home whose input folder this is. */
export function linkFolder(inputDir: string): string {
  return join(dirname(inputDir), LINKS);
}

/**
 * Path of the link to a file.
 *
 * @param inside path of the file, relative to the input folder
 * @returns always the same one for the same name, so that a file that comes back is recognised
 */
export function linkPath(inputDir: string, inside: Buffer): string {
  const hash = createHash('sha256').update(inside).digest('hex').slice(0, 16);
  return join(linkFolder(inputDir), hash, shownName(inside));
}

/** The path of a source as people see it: relative to the input folder if it is there. */
export function nameInInput(inputDir: string, path: string): string {
  return LINK.exec(path)?.[1] ?? relative(inputDir, path);
}

/** The file itself, if the path is that of a link to a name that is not valid UTF-8; any other path is returned unchanged. */
export async function placeOf(path: string): Promise<Place> {
  if (!LINK.test(path)) return path;
  try {
    return placeIn(dirname(path), await readlink(path, { encoding: 'buffer' }));
  } catch (error) {
    if (isMissingFile(error)) return path;
    throw error;
  }
}

/** The path of a name in a folder. */
export function placeIn(folder: Place, name: Place): Place {
  if (typeof folder === 'string' && typeof name === 'string') return join(folder, name);
  return Buffer.concat([Buffer.from(folder), Buffer.from('/'), Buffer.from(name)]);
}

/** Like `dirname` and `basename`. */
export function splitPlace(place: Place): { readonly folder: Place; readonly name: Place } {
  const at = place.lastIndexOf('/');
  return { folder: place.slice(0, Math.max(1, at)), name: place.slice(at + 1) };
}

/** Whether a name is valid UTF-8. */
export function isUtf8(name: Buffer): boolean {
  return Buffer.from(name.toString()).equals(name);
}

/** A name in which every byte that is not valid UTF-8 is written as `\xe9`. */
export function shownName(name: Place): string {
  if (typeof name === 'string') return name;
  let shown = '';
  for (let at = 0; at < name.length;) {
    const length = [1, 2, 3, 4].find((bytes) => isText(name.subarray(at, at + bytes), bytes)) ?? 0;
    shown += length === 0 ? `\\x${name.toString('hex', at, at + 1)}` : name.toString('utf8', at, at + length);
    at += Math.max(1, length);
  }
  return shown;
}

function isText(bytes: Buffer, length: number): boolean {
  return bytes.length === length && isUtf8(bytes);
}
