import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, InputRejectedError } from '../domain/errors.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { fileSignature } from '../lib/file-signature.ts';
import { isCandidate, SIDECAR_SUFFIX } from './candidate-file.ts';

/** A file in the input folder, as one scan found it. */
export interface FoundFile {
  /** Absolute path, in which bytes that are not valid UTF-8 are written as `\xe9`. */
  readonly path: string;
  /** The signature of the file, followed after a blank by that of its sidecar if it has one. */
  readonly signature: string;
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
 * links are not followed, pipes, devices and sockets would block on opening, and a name that is not valid UTF-8 cannot be
 * stored, so these are returned as unusable. Files that vanish during the scan are skipped. Throws if the folder itself
 * cannot be read.
 *
 * @param onFolder called with each folder before it is read
 */
export async function findFiles(
  root: string,
  onFolder: (path: string) => Promise<void> = () => Promise.resolve(),
): Promise<Finding> {
  const files: FoundFile[] = [];
  const unreadable: { folder: string; code: string }[] = [];

  async function visit(folder: string): Promise<void> {
    await onFolder(folder);
    // As bytes: a name that was decoded wrongly would name no file.
    for (const entry of await readdir(folder, { withFileTypes: true, encoding: 'buffer' })) {
      const name = entry.name.toString();
      const path = join(folder, name);
      if (!Buffer.from(name).equals(entry.name)) {
        const found = await badlyNamed(folder, entry);
        if (found !== null) files.push(found);
      } else if (entry.isDirectory() && !name.startsWith('.')) {
        await visit(path).catch((error: unknown) => {
          if (codeOf(error) !== 'ENOENT') unreadable.push({ folder: path, code: codeOf(error) });
        });
      } else if (entry.isFile() && isCandidate(path)) {
        const signature = await signatureOf(path);
        if (signature !== null) files.push({ path, signature });
      } else if (!entry.isDirectory()) {
        const found = await irregular(path, entry);
        if (found !== null) files.push(found);
      }
    }
  }
  await visit(root);
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, unreadable };
}

/** A video or folder whose name is not valid UTF-8; null for anything else. */
async function badlyNamed(folder: string, entry: Dirent<Buffer>): Promise<FoundFile | null> {
  const name = shownName(entry.name);
  if (!isCandidate(name) && (!entry.isDirectory() || name.startsWith('.'))) return null;
  const path = Buffer.concat([Buffer.from(`${folder}/`), entry.name]);
  const reason = new InputRejectedError(
    'NAME_NOT_UTF8',
    `The name ${name} is not valid UTF-8; rename the ${entry.isDirectory() ? 'folder' : 'file'}.`,
  );
  return unusable(join(folder, name), path, reason);
}

/** A link, pipe, device or socket; null if its name is one that is skipped. */
async function irregular(path: string, entry: Dirent<Buffer>): Promise<FoundFile | null> {
  if (entry.isFile() || !isCandidate(path)) return null;
  const name = entry.name.toString();
  if (entry.isSymbolicLink()) {
    const message = `${name} is a symbolic link, which is not followed; replace it with the file itself.`;
    return unusable(path, path, new InputRejectedError('SYMBOLIC_LINK', message));
  }
  const kind = entry.isFIFO() ? 'a named pipe' : entry.isSocket() ? 'a socket' : 'a device';
  const message = `${name} is ${kind}, not a regular file.`;
  return unusable(path, path, new InputRejectedError('NOT_A_REGULAR_FILE', message));
}

async function unusable(
  path: string,
  place: string | Buffer,
  reason: InputRejectedError,
): Promise<FoundFile | null> {
  const stats = await lstat(place, { bigint: true }).catch(() => null);
  return stats === null ? null : { path, signature: fileSignature(stats), unusable: reason };
}

/** A name in which every byte that is not UTF-8 is written as `\xe9`. */
function shownName(name: Buffer): string {
  let shown = '';
  for (let at = 0; at < name.length;) {
    const length = [1, 2, 3, 4].find((bytes) => isText(name.subarray(at, at + bytes), bytes)) ?? 0;
    shown += length === 0 ? `\\x${name.toString('hex', at, at + 1)}` : name.toString('utf8', at, at + length);
    at += Math.max(1, length);
  }
  return shown;
}

function isText(bytes: Buffer, length: number): boolean {
  return bytes.length === length && Buffer.from(bytes.toString()).equals(bytes);
}

/** The signature of a file and its sidecar; null when the file is gone or not a regular file. */
export async function signatureOf(path: string): Promise<string | null> {
  const own = await statOrNull(path);
  if (own === null) return null;
  const sidecar = await statOrNull(path + SIDECAR_SUFFIX);
  return sidecar === null ? fileSignature(own) : `${fileSignature(own)} ${fileSignature(sidecar)}`;
}

/** The part of the result of `signatureOf` that does not depend on the sidecar. */
export function signatureOfFileAlone(signature: string): string {
  return signature.split(' ', 1)[0] ?? '';
}

/** The stats of a regular file; null for a symbolic link, anything else, or a missing file. */
export async function statOrNull(path: string): Promise<BigIntStats | null> {
  try {
    const stats = await lstat(path, { bigint: true });
    return stats.isFile() ? stats : null;
  } catch (error) {
    if (isMissingFile(error)) return null;
    throw error;
  }
}
