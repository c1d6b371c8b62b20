import { open, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { failPoint, type PublishedFile } from '../lib/fail-point.ts';

/**
 * Makes a finished temporary file durable under its final name, in one step that a reader sees whole or not at all
 * (R5): fdatasync, rename, fsync of the folder. A failed fsync condemns the file: the error goes up and the caller
 * makes the file anew, because the kernel may have dropped the pages (a second fsync would claim success).
 *
 * Both names must lie on the same file system.
 *
 * @param what for fail points
 */
export async function publishFile(
  temporaryPath: string,
  finalPath: string,
  what: PublishedFile,
): Promise<void> {
  failPoint(`${what}.before-datasync`);
  const file = await open(temporaryPath, 'r');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
  failPoint(`${what}.before-rename`);
  await rename(temporaryPath, finalPath);
  failPoint(`${what}.before-folder-sync`);
  await syncFolder(dirname(finalPath));
  failPoint(`${what}.published`);
}

/** Writes a whole file so that its name is absent, as it was, or complete, at every instant. */
export async function writeFileDurably(
  finalPath: string,
  bytes: Uint8Array | string,
  what: 'frame-index' | 'report' | 'other-file' = 'other-file',
): Promise<void> {
  const temporaryPath = `${finalPath}.tmp`;
  failPoint(`${what}.before-write`);
  await writeFile(temporaryPath, bytes);
  await publishFile(temporaryPath, finalPath, what);
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
