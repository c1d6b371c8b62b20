import { createHash } from 'node:crypto';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { counted } from './counted.ts';
import { isUtf8, placeIn, shownName, type Place } from './byte-name.ts';
import { isMissingFile } from './file-errors.ts';
import { fileSignature } from './file-signature.ts';
import { sha256File } from './sha256-file.ts';

/** The images of a folder, in the order of their numbers. */
export interface ImageSequence {
  readonly names: readonly string[];
  /** Why the images are no sequence, as the rest of a sentence that starts with the name of the folder; null if they are. */
  readonly fault: string | null;
}

/** Hidden files, and those that operating systems leave in folders. */
const IGNORED = /^(\..*|thumbs\.db|desktop\.ini)$/i;

/** `shot_0001.png`: what comes before the number, the number, and what comes after it. */
const NUMBERED = /^(.*?)(\d{1,15})(\.[^.]+)$/s;

/** Lists the images in a folder, which are numbered without gaps and have the same name but for the number. */
export async function listSequence(folder: Place): Promise<ImageSequence> {
  const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' });
  const seen = entries.filter(({ name }) => !IGNORED.test(shownName(name)));
  const names = seen.map(({ name }) => shownName(name));
  const irregular = seen.find((entry) => !entry.isFile());
  if (irregular !== undefined)
    return { names, fault: `contains ${shownName(irregular.name)}, which is not a regular file` };
  const bytes = seen.find((entry) => !isUtf8(entry.name));
  if (bytes !== undefined)
    return {
      names,
      fault: `contains ${shownName(bytes.name)}, whose name is not valid UTF-8; rename the images`,
    };
  return sortSequence(names);
}

/** Sorts the names of a sequence by their numbers, and says whether it is complete. */
export function sortSequence(unsorted: readonly string[]): ImageSequence {
  const names = [...unsorted].sort(byNumber);
  return { names, fault: whyNoSequence(names) };
}

function byNumber(a: string, b: string): number {
  return numberIn(a) - numberIn(b) || (a < b ? -1 : 1);
}

function numberIn(name: string): number {
  return Number(NUMBERED.exec(name)?.[2] ?? -1);
}

function whyNoSequence(names: readonly string[]): string | null {
  const [first] = names;
  if (first === undefined) return 'contains no images';
  const bare = names.find((name) => !NUMBERED.test(name));
  if (bare !== undefined)
    return `contains ${bare}, whose name does not end with a number; a sequence is numbered like 0001.png, 0002.png`;
  const other = names.find((name) => withoutNumber(name) !== withoutNumber(first));
  if (other !== undefined)
    return `contains ${first} and ${other}; the names of a sequence differ in their numbers only`;
  for (const [i, name] of names.entries()) {
    const before = names[i - 1];
    if (before === undefined) continue;
    const missing = numberIn(name) - numberIn(before) - 1;
    if (missing < 0) return `contains ${before} and ${name}, which have the same number`;
    if (missing > 0) return `has a gap: ${counted(missing, 'image')} missing between ${before} and ${name}`;
  }
  return null;
}

function withoutNumber(name: string): string {
  return name.replace(NUMBERED, '$1#$3');
}

/** A signature of all files in a folder, which changes with each name and each file, but not with the place of the folder. */
export async function signatureOfImages(folder: Place): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await listSequence(folder)).names) {
    const stats = await lstat(placeIn(folder, name), { bigint: true }).catch((error: unknown) => {
      if (isMissingFile(error)) return null;
      throw error;
    });
    hash.update(`${name} ${stats?.isFile() === true ? fileSignature(stats) : ''}\n`);
  }
  return hash.digest('hex');
}

/** Throws if the images in a folder are no longer those that were read. @param signature by `signatureOfImages` */
export async function assertSameImages(folder: Place, signature: string): Promise<void> {
  if ((await signatureOfImages(folder)) !== signature)
    throw new Error('The images changed after they were read.');
}

/** SHA-256 of the names and contents of a sequence, in hex. */
export async function sha256Sequence(
  folder: string,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${await sha256File(join(folder, name), signal)} ${name}\n`);
  return hash.digest('hex');
}
