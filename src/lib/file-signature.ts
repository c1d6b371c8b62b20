import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { basename } from 'node:path';
import { placeOf } from './byte-name.ts';

/**
 * Returns the signature of a file: size in bytes, modification time in nanoseconds and inode, as one string. A file whose
 * signature has not changed need not be read again.
 */
export function fileSignature({ size, mtimeNs, ino }: Pick<BigIntStats, 'size' | 'mtimeNs' | 'ino'>): string {
  return `${size}:${mtimeNs}:${ino}`;
}

/** A file as it was before it was read. */
export interface SignedFile {
  /** Absolute. */
  readonly path: string;
  readonly signature: string;
}

/** Throws if a file is no longer the one that was read. */
export async function assertSameFile({ path, signature }: SignedFile): Promise<void> {
  if ((await readFileSignature(path)) !== signature)
    throw new Error(`${basename(path)} changed after it was read.`);
}

/** The signature of the file at `path` now; a symbolic link that the user made has its own. */
export async function readFileSignature(path: string): Promise<string> {
  return fileSignature(await lstat(await placeOf(path), { bigint: true }));
}
