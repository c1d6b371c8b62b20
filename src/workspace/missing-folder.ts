import { existsSync } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { contains, type Home } from '../config/home.ts';
import { codeOf } from '../domain/errors.ts';
import type { Job } from '../domain/job.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { isMountPoint } from './tmpfs.ts';

/** Remembers which folders were mount points, across restarts. */
export interface MountPointMemory {
  isKnown(path: string): boolean;
  remember(path: string): void;
  forget(path: string): void;
}

/** Errors of a folder that exists but may not be read: its disk is there. */
const NO_PERMISSION: ReadonlySet<string> = new Set(['EACCES', 'EPERM']);

/**
 * Why a folder cannot be used until its disk is back, in one sentence: it is a link to a missing folder, a file has its
 * place, its disk does not answer, or it was a mount point and is now an empty folder. Null if it can be used, or if there is
 * nothing at the path.
 */
export async function whyMissing(folder: string, mountPoints: MountPointMemory): Promise<string | null> {
  let names: string[];
  let real: string;
  try {
    if (!(await exists(folder))) return null;
    real = await realpath(folder);
    names = await readdir(real);
  } catch (error) {
    if (NO_PERMISSION.has(codeOf(error))) return null;
    if (codeOf(error) === 'ENOTDIR')
      return `${folder} is not a folder; move away the file that is in its place.`;
    return isMissingFile(error)
      ? `${folder} is missing (it is a symbolic link to a folder that does not exist); reconnect its disk or correct the link.`
      : `${folder} cannot be read (${codeOf(error)}); check its disk.`;
  }
  if (await isMountPoint(real)) mountPoints.remember(real);
  else if (names.length > 0) mountPoints.forget(real);
  else if (mountPoints.isKnown(real))
    return `${folder} is missing (its disk is not mounted); mount the disk, or put a file into the empty folder to use the folder without it.`;
  return null;
}

/**
 * Why a job has to wait for one of its folders, in one sentence, or null. A folder that was created in place of a
 * missing disk would be hidden once the disk is back.
 */
export async function whyJobFolderMissing(
  home: Pick<Home, 'jobsDir' | 'output' | 'input'>,
  job: Pick<Job, 'sourcePath' | 'outputPath' | 'publishedAtMs'>,
  mountPoints: MountPointMemory,
): Promise<string | null> {
  for (const folder of [home.jobsDir, home.output, dirname(job.outputPath), home.input]) {
    const why = await whyMissing(folder, mountPoints);
    if (why !== null) return why;
  }
  const sourceFolder = dirname(job.sourcePath);
  if (job.publishedAtMs !== null || contains(home.input, sourceFolder) || existsSync(sourceFolder))
    return null;
  // Outside input/ nobody creates folders again.
  return `${sourceFolder} is missing; reconnect its disk or restore the folder.`;
}

/** Whether there is anything at a path, even a link to nothing. */
async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
