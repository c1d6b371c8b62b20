import { constants } from 'node:fs';
import { open, readlink, realpath, type FileHandle } from 'node:fs/promises';
import { relative } from 'node:path';

/**
 * Opens a file for reading if it is a regular one. A link as its last component is not followed, and a pipe does not block.
 *
 * @returns null if it is anything but a regular file
 * @throws an error of the file system, such as ENOENT
 */
export async function openRegularFile(path: string): Promise<FileHandle | null> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ELOOP' || code === 'ENXIO') return null; // A link; a socket.
    throw error;
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return null;
}

/**
 * Whether an open file is in a folder or below. It is the file itself that is looked at, so a folder of its path that is
 * replaced by a link changes nothing. Linux.
 */
export async function isInside(file: FileHandle, folder: string): Promise<boolean> {
  const way = relative(await realpath(folder), await readlink(`/proc/self/fd/${file.fd}`));
  return way !== '..' && !way.startsWith('../');
}
