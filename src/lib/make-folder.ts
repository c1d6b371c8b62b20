import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder, and those above it that are missing, so that a power cut does not take them back with everything in
 * them: a new folder's name is durable when the folder above it was synced. Blocks for a few fsyncs.
 *
 * Not by `recursive: true`, which says ENOENT on a read-only file system instead of EROFS (Node 20.20).
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' && dirname(path) !== path) {
      makeFolder(dirname(path));
      makeFolder(path);
      return;
    }
    if (code !== 'EEXIST') throw error;
    // A process that died in between may have made it without the sync; whether it is a folder, opening a file in it tells.
  }
  const parent = openSync(dirname(path), 'r');
  try {
    fsyncSync(parent);
  } finally {
    closeSync(parent);
  }
}
