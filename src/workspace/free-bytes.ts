import { statfs } from 'node:fs/promises';
import { isMissingFile } from '../lib/file-errors.ts';

/** Free bytes of the file system of a path; 0 if the path does not exist. */
export async function freeBytes(path: string): Promise<number> {
  return (await freeBytesOrNull(path)) ?? 0;
}

/** Free bytes of the file system of a path; null if the path does not exist, such as a link to a disk that is not mounted. */
export async function freeBytesOrNull(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (error) {
    if (isMissingFile(error)) return null;
    throw error;
  }
}
