import { statfs } from 'node:fs/promises';
import { isMissingFile } from '../lib/file-errors.ts';

/** Free bytes of the file system of a path; 0 if the path does not exist. */
export async function freeBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (error) {
    if (isMissingFile(error)) return 0;
    throw error;
  }
}
