import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, relative } from 'node:path';
import { codeOf, InputRejectedError } from '../domain/errors.ts';
import { isSpeech } from '../domain/speech-files.ts';
import { isUtf8, linkPath, placeIn, placeOf, shownName, type Place } from '../lib/byte-name.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { signatureOfImages } from '../lib/image-sequence.ts';
import { fileSignature } from '../lib/file-signature.ts';
import { isCandidate, sidecarOf } from './candidate-file.ts';
import { speechPathOf } from './speech-path.ts';

/** A file in the input folder, as one scan found it. */
export interface FoundFile {
  /** Absolute path, in which bytes that are not valid UTF-8 are written as `\xe9`. */
  readonly path: string;
  /** Path relative to the input folder if it is not valid UTF-8; the file then has to be read through a link. */
  readonly inside?: Buffer;
  /** The signature of the file, followed after blanks by those of its sidecar and its speech if it has them. */
  readonly signature: string;
  /** Whether it is a folder of images with a sidecar file, which becomes one video. */
  readonly isSequence?: boolean;
  /** Why the file cannot be opened as a video, whatever is in it. */
  readonly unusable?: InputRejectedError;
}

export interface Finding {
  /** Files in the order of their paths. */
  readonly files: readonly FoundFile[];
  /** Folders that exist but cannot be read, with the system's error code. */
  readonly unreadable: readonly { readonly folder: string; readonly code: string }[];
}

/**
 * Finds the files below a folder that may be videos; probing decides. The folder itself may be a link. Other symbolic
 * links are not followed, and pipes, devices and sockets would block on opening, so these are returned as unusable. Files
 * that vanish during the scan are skipped. Throws if the folder itself cannot be read.
 *
 * @param onFolder called with each folder before it is read
 * @param takenSignature the signature with which the file or folder at a path was taken; null if it was not
 */
export async function findFiles(
  root: string,
  onFolder: (folder: Place) => Promise<void> = () => Promise.resolve(),
  takenSignature: (path: string) => string | null = () => null,
): Promise<Finding> {
  const files: FoundFile[] = [];
  const unreadable: { folder: string; code: string }[] = [];

  async function visit(folder: Place): Promise<void> {
    await onFolder(folder);
    // As bytes: a name that was decoded wrongly would name no file.
    for (const entry of await readdir(folder, { withFileTypes: true, encoding: 'buffer' })) {
      const place = placeIn(folder, isUtf8(entry.name) ? entry.name.toString() : entry.name);
      const path = shownName(place);
      if (entry.isDirectory()) {
        await visitBelow(place).catch((error: unknown) => {
          if (codeOf(error) !== 'ENOENT') unreadable.push({ folder: path, code: codeOf(error) });
        });
      } else if (isCandidate(path) && !isSpeech(relative(root, path))) {
        const found = entry.isFile() ? await regular(place, root) : await irregular(place, entry);
        if (found !== null) files.push(found);
      }
    }
  }

  async function visitBelow(folder: Place): Promise<void> {
    const path = shownName(folder);
    const sequence = isCandidate(path) ? ((await sequenceAt(folder, root)) ?? takenSequence(folder)) : null;
    if (sequence !== null) {
      await onFolder(folder);
      files.push(sequence);
    } else if (!basename(path).startsWith('.')) await visit(folder);
  }

  /** A folder that was taken as a sequence, and whose sidecar was removed: its images ask for nothing new. */
  function takenSequence(folder: Place): FoundFile | null {
    const { inside } = insideOf(folder, root);
    const signature = takenSignature(inside === undefined ? shownName(folder) : linkPath(root, inside));
    // Not one of a file that was replaced with a folder.
    return signature !== null && /^[0-9a-f]{64} /.test(signature)
      ? foundSequence(folder, root, signature)
      : null;
  }

  await visit(root);
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, unreadable };
}

async function regular(place: Place, root: string): Promise<FoundFile | null> {
  const signature = await signatureAt(place, root);
  return signature === null ? null : { path: shownName(place), signature, ...insideOf(place, root) };
}

function insideOf(place: Place, root: string): Pick<FoundFile, 'inside'> {
  return typeof place === 'string' ? {} : { inside: place.subarray(Buffer.byteLength(root) + 1) };
}

/** A folder of images with a sidecar file; null for any other folder. */
async function sequenceAt(place: Place, root: string): Promise<FoundFile | null> {
  const signature = await signatureAt(place, root);
  return signature === null ? null : foundSequence(place, root, signature);
}

function foundSequence(place: Place, root: string, signature: string): FoundFile {
  return { path: shownName(place), signature, isSequence: true, ...insideOf(place, root) };
}

/** A link, pipe, device or socket. */
async function irregular(place: Place, entry: Dirent<Buffer>): Promise<FoundFile | null> {
  const name = shownName(entry.name);
  if (entry.isSymbolicLink()) {
    const message = `${name} is a symbolic link, which is not followed; replace it with the file itself.`;
    return unusable(place, new InputRejectedError('SYMBOLIC_LINK', message));
  }
  const kind = entry.isFIFO() ? 'a named pipe' : entry.isSocket() ? 'a socket' : 'a device';
  const message = `${name} is ${kind}, not a regular file.`;
  return unusable(place, new InputRejectedError('NOT_A_REGULAR_FILE', message));
}

async function unusable(place: Place, reason: InputRejectedError): Promise<FoundFile | null> {
  const stats = await lstat(place, { bigint: true }).catch(() => null);
  return stats === null
    ? null
    : { path: shownName(place), signature: fileSignature(stats), unusable: reason };
}

/**
 * The signature of a file or a folder of images, and of its sidecar and its speech; null when it is gone or anything else.
 *
 * @param root the input folder
 */
export async function signatureOf(path: string, root: string): Promise<string | null> {
  return signatureAt(await placeOf(path), root);
}

async function signatureAt(place: Place, root: string): Promise<string | null> {
  const own = await statOrNull(place);
  const sidecar = await statOrNull(sidecarOf(place));
  const others = [sidecar, await speechAt(place, root)].filter((stats) => stats !== null);
  if (own === null) return sidecar === null ? null : signatureOfSequence(place, others);
  return [own, ...others].map((stats) => fileSignature(stats)).join(' ');
}

/** The speech of a video in a folder of lip-sync jobs, which makes it a new file when it comes or changes. */
async function speechAt(place: Place, root: string): Promise<BigIntStats | null> {
  const path = typeof place === 'string' ? await speechPathOf(place, root) : null;
  return path === null ? null : statOrNull(path);
}

async function signatureOfSequence(place: Place, others: readonly BigIntStats[]): Promise<string | null> {
  try {
    return [await signatureOfImages(place), ...others.map((stats) => fileSignature(stats))].join(' ');
  } catch (error) {
    // It is gone, no folder, or cannot be read.
    if (isMissingFile(error) || codeOf(error) === 'EACCES') return null;
    throw error;
  }
}

/** The part of the result of `signatureOf` that does not depend on the sidecar. */
export function signatureOfFileAlone(signature: string): string {
  return signature.split(' ', 1)[0] ?? '';
}

/** The stats of a regular file; null for a symbolic link, anything else, or a missing file. */
async function statOrNull(place: Place): Promise<BigIntStats | null> {
  try {
    const stats = await lstat(place, { bigint: true });
    return stats.isFile() ? stats : null;
  } catch (error) {
    if (isMissingFile(error)) return null;
    throw error;
  }
}
