import type { BigIntStats } from 'node:fs';

/**
 * Returns the signature of a file: size in bytes, modification time in nanoseconds and inode, as one string. A file whose
 * signature has not changed need not be read again.
 */
export function fileSignature({ size, mtimeNs, ino }: Pick<BigIntStats, 'size' | 'mtimeNs' | 'ino'>): string {
  return `${size}:${mtimeNs}:${ino}`;
}
