import { constants } from 'node:fs';
import { lstat, open, readlink, realpath, type FileHandle } from 'node:fs/promises';
import { relative } from 'node:path';

/**
 * Opens a file for reading if it is a regular one. A link as its last component is not followed, a pipe does not
 * block, and a device is not opened.
 *
 * @returns null if it is anything but a regular file
 * @throws an error of the file system, such as ENOENT
 */
export async function openRegularFile(path: string): Promise<FileHandle | null> {
  if (!(await lstat(path)).isFile()) return null;
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ELOOP' || code === 'ENXIO') return null; // A link; a socket.
    throw error;
  }
  let isRegular = false;
  try {
    // Another file may have got the name since.
    isRegular = (await file.stat()).isFile();
  } finally {
    if (!isRegular) await file.close();
  }
  return isRegular ? file : null;
}

/**
 * Whether an open file is in a folder or below. It is the file itself that is looked at, so a folder of its path that is
 * replaced by a link changes nothing. Linux.
 */
export async function isInside(file: FileHandle, folder: string): Promise<boolean> {
  const way = relative(await realpath(folder), await readlink(`/proc/self/fd/${file.fd}`));
  return way !== '..' && !way.startsWith('../');
}
