import type { BigIntStats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isCandidate, SIDECAR_SUFFIX } from './candidate-file.ts';
import { isMissingFile } from '../lib/file-errors.ts';

/** A file in the input folder, as it was at one look. */
export interface FoundFile {
  /** Absolute. */
  readonly path: string;
  /** Equal exactly when size, mtime and inode are, its own and its sidecar's (R19). */
  readonly look: string;
}

/**
 * All videos below a folder, by name. Only regular files: symbolic links are not followed, and pipes, devices and
 * sockets would block whoever opens them (R22). What vanishes meanwhile is not there.
 */
export async function findFiles(folder: string): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  const entries = await readdir(folder, { withFileTypes: true, recursive: false });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith('.')) found.push(...(await findFiles(path)));
    if (!entry.isFile() || !isCandidate(path)) continue;
    const look = await lookAt(path);
    if (look !== null) found.push({ path, look });
  }
  return found;
}

/** What a file and its sidecar are like now; null when the file is gone or not a regular one. */
export async function lookAt(path: string): Promise<string | null> {
  const own = await statOrNull(path);
  if (own === null) return null;
  const sidecar = await statOrNull(path + SIDECAR_SUFFIX);
  return sidecar === null ? describe(own) : `${describe(own)} ${describe(sidecar)}`;
}

function describe({ size, mtimeNs, ino }: BigIntStats): string {
  return `${size}:${mtimeNs}:${ino}`;
}

async function statOrNull(path: string): Promise<BigIntStats | null> {
  try {
    const stats = await lstat(path, { bigint: true });
    return stats.isFile() ? stats : null;
  } catch (error) {
    if (isMissingFile(error)) return null;
    throw error;
  }
}
