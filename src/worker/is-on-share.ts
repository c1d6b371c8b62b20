import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Job } from '../domain/job.ts';
import { placeOf, splitPlace, type Place } from '../lib/byte-name.ts';
import { networkFileSystem } from '../queue/network-file-system.ts';

/** `f_type` of FUSE, with which sshfs, rclone and others mount what is on another machine. */
const FUSE = 0x65735546;

/** Whether the source or the output of a job is on a network share, or may be. */
export async function isOnShare({ sourcePath, outputPath }: Job): Promise<boolean> {
  const { folder } = splitPlace(await placeOf(sourcePath));
  const found = await Promise.all([folder, dirname(outputPath)].map(isShare));
  return found.includes(true);
}

async function isShare(folder: Place): Promise<boolean> {
  try {
    const { type } = await statfs(folder);
    return networkFileSystem(type) !== null || type === FUSE;
  } catch {
    return false; // A missing folder is explained by its own error.
  }
}
