import type { BigIntStats } from 'node:fs';

/**
 * The signature of a file: size in bytes, modification time in nanoseconds and inode, as one text. Two signatures of one
 * path are equal exactly when none of the three has changed, so a file with the same signature need not be read again.
 */
export function fileSignature({ size, mtimeNs, ino }: Pick<BigIntStats, 'size' | 'mtimeNs' | 'ino'>): string {
  return `${size}:${mtimeNs}:${ino}`;
}
