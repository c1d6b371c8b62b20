import { access, constants, open } from 'node:fs/promises';
import { codeOf } from '../domain/errors.ts';

/**
 * Finds the first of some folders that is on a read-only file system; null if none is. Nothing is written. A folder that cannot be
 * examined counts as writable, because other checks report it.
 */
export async function findReadOnly(folders: readonly string[]): Promise<string | null> {
  for (const folder of folders) if (await isReadOnly(folder)) return folder;
  return null;
}

async function isReadOnly(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK);
    // Linux 6.18 answers the question above with yes after ext4 has shut itself off because of an error of the disk.
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
    return false;
  } catch (error) {
    return codeOf(error) === 'EROFS';
  }
}
