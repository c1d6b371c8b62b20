import type { BigIntStats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../domain/errors.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { fileSignature } from '../lib/file-signature.ts';
import { isCandidate, SIDECAR_SUFFIX } from './candidate-file.ts';

/** A file in the input folder, as one scan found it. */
export interface FoundFile {
  /** Absolute. */
  readonly path: string;
  /** The signature of the file and, after a blank, that of its sidecar where there is one. */
  readonly signature: string;
}

export interface Finding {
  /** By path. */
  readonly files: readonly FoundFile[];
  /** Folders that exist but cannot be read, with the system's error code. */
  readonly unreadable: readonly { readonly folder: string; readonly code: string }[];
}

/**
 * All videos below a folder, which may be a link itself. Only regular files: symbolic links are not followed, and pipes, devices and sockets would
 * block on opening. Files that vanish during the scan are skipped. Throws if the folder itself cannot be read.
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
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !entry.name.startsWith('.')) {
        await visit(path).catch((error: unknown) => {
          if (codeOf(error) !== 'ENOENT') unreadable.push({ folder: path, code: codeOf(error) });
        });
      } else if (entry.isFile() && isCandidate(path)) {
        const signature = await signatureOf(path);
        if (signature !== null) files.push({ path, signature });
      }
    }
  }
  await visit(root);
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, unreadable };
}

/** The signature of a file and its sidecar; null when the file is gone or not a regular file. */
export async function signatureOf(path: string): Promise<string | null> {
  const own = await statOrNull(path);
  if (own === null) return null;
  const sidecar = await statOrNull(path + SIDECAR_SUFFIX);
  return sidecar === null ? fileSignature(own) : `${fileSignature(own)} ${fileSignature(sidecar)}`;
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
