import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';

/**
 * Returns the signature of a file: size in bytes, modification time in nanoseconds and inode, as one string. A file whose
 * signature has not changed need not be read again.
 */
export function fileSignature({ size, mtimeNs, ino }: Pick<BigIntStats, 'size' | 'mtimeNs' | 'ino'>): string {
  return `${size}:${mtimeNs}:${ino}`;
}

/** The signature of the file at `path` now; a symbolic link has its own. */
export async function readFileSignature(path: string): Promise<string> {
  return fileSignature(await lstat(path, { bigint: true }));
}
