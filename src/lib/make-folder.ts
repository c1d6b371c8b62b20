import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Creates a folder and its missing parents durably: each parent is synced, because otherwise a power cut could remove the
 * new folder with everything in it. Blocks for a few fsyncs.
 *
 * `recursive: true` is not used, because it reports ENOENT instead of EROFS on a read-only file system (Node 20.20).
 *
 * @throws ENOENT if the path, or a parent of it, is a link to something that does not exist
 */
export function makeFolder(path: string): void {
  if (!tryMakeFolder(path)) {
    makeFolder(dirname(path));
    mkdirSync(path);
  }
  const parent = openSync(dirname(path), 'r');
  try {
    fsyncSync(parent);
  } finally {
    closeSync(parent);
  }
}

/** Creates a folder; returns false if its parent is missing. */
function tryMakeFolder(path: string): boolean {
  try {
    mkdirSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' && dirname(path) !== path) return false;
    if (code !== 'EEXIST') throw error;
    // The folder exists, but a process that crashed may have left it unsynced. If it is a file, opening files in it fails.
    statSync(path);
  }
  return true;
}
