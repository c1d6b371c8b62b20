import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isOwnerAlive, parseOwner } from '../lib/process/process-identity.ts';

/** Who filled a RAM disk, and with what: its frames are used again only for the same contents. */
export interface Stamp {
  /** Process that owns the RAM disk, as written by `formatOwner`. */
  readonly owner: string;
  /** Identifies the job, its source and its plan. */
  readonly contents: string;
}

/** Whether frames in this folder may be used again: made for the same contents, in this boot, by a process that is dead. */
export async function mayAdopt(path: string, stamp: Stamp): Promise<boolean> {
  const found = await readStamp(path);
  if (found === null || found.contents !== stamp.contents) return false;
  // After a power cut, a plain folder may contain blocks that were never written.
  if (parseOwner(found.owner)?.bootId !== parseOwner(stamp.owner)?.bootId) return false;
  return found.owner === stamp.owner || !isOwnerAlive(found.owner);
}

export async function writeStamp(path: string, stamp: Stamp): Promise<void> {
  await writeFile(stampFile(path), JSON.stringify(stamp));
}

/** Reads a stamp; null if it is missing or truncated, so that the frames have no known owner. */
async function readStamp(path: string): Promise<Stamp | null> {
  try {
    return JSON.parse(await readFile(stampFile(path), 'utf8')) as Stamp;
  } catch {
    return null;
  }
}

function stampFile(path: string): string {
  return join(path, 'stamp.json');
}
