import { createHash } from 'node:crypto';
import { lstat, mkdtemp, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { IdentifiedHome } from '../config/home.ts';
import type { Lease } from '../domain/job.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { readdirOrNone } from './job-folder.ts';
import { isMountPoint, mayMount, mountsNamed } from './tmpfs.ts';

/** `mount`: a tmpfs of the job; `shm`: a folder in `/dev/shm`; `folder`: a folder on disk. */
export type RamDiskKind = 'mount' | 'shm' | 'folder';

/** The places of the RAM disks of a home. Other homes and other users may have theirs in the same folders. */
export interface RamDiskPlaces {
  /** Start of the names of this home's RAM disks, and source of its tmpfs mounts. */
  readonly prefix: string;
  readonly folders: Readonly<Record<RamDiskKind, string>>;
  /** Name of the folder in `/dev/shm` in which older versions kept the RAM disks of this home. */
  readonly formerShmName: string;
}

/** A RAM disk that exists, perhaps left by a dead process. */
export interface FoundRamDisk {
  readonly jobId: number;
  readonly kind: RamDiskKind;
  readonly path: string;
}

/** Job ID of a RAM disk that no job owns. */
const NO_JOB = 0;

export function ramDiskPlaces({ id, stateDir }: Pick<IdentifiedHome, 'id' | 'stateDir'>): RamDiskPlaces {
  const hash = createHash('sha256').update(stateDir).digest('hex').slice(0, 12);
  return {
    prefix: `framekiln-${id}`,
    folders: { mount: join(stateDir, 'ram'), shm: '/dev/shm', folder: join(stateDir, 'frames') },
    formerShmName: `framekiln-${hash}`,
  };
}

/**
 * Creates the folder of a RAM disk, which only this user can enter. Its name ends in random characters and did not
 * exist before, so nobody can have created it in advance, and a worker that lost its lease never writes to the RAM disk
 * of its successor.
 */
export async function createRamDiskFolder(
  { prefix, folders }: RamDiskPlaces,
  kind: RamDiskKind,
  { jobId, token }: Pick<Lease, 'jobId' | 'token'>,
): Promise<string> {
  return mkdtemp(join(folders[kind], `${prefix}-${jobId}-${token}-`));
}

/**
 * Finds all RAM disks of a home that this user made. A link, and a folder of another user or open to others, is not one,
 * whatever its name. A tmpfs is found wherever the home was when it was mounted.
 */
export async function findRamDisks(places: RamDiskPlaces): Promise<FoundRamDisk[]> {
  const found = new Map<string, FoundRamDisk>();
  for (const kind of ['mount', 'shm', 'folder'] as const) {
    const parent = await realpath(places.folders[kind]).catch(() => places.folders[kind]);
    for (const name of await readdirOrNone(parent)) {
      const jobId = jobIdIn(name, kind, places);
      const path = join(parent, name);
      if (jobId === null || !(await isOwn(path))) continue;
      if (kind !== 'shm' && !name.startsWith(places.prefix) && !(await holdsOnlyFrames(path))) continue;
      // After a reboot, a mount point is an empty folder.
      const isUnmounted = kind === 'mount' && !(await isMountPoint(path));
      found.set(path, { jobId, kind: isUnmounted ? 'folder' : kind, path });
    }
  }
  for (const path of await mountsNamed(places.prefix)) {
    const jobId = jobIdIn(basename(path), 'mount', places);
    if (jobId !== null && (await isOwn(path))) found.set(path, { jobId, kind: 'mount', path });
  }
  return [...found.values()].filter(({ kind }) => kind !== 'mount' || mayMount());
}

/** Mount points of RAM disks of this home that only root can remove, because root ran Framekiln here before. */
export async function mountsOfRoot({ prefix }: RamDiskPlaces): Promise<string[]> {
  return mayMount() ? [] : mountsNamed(prefix);
}

/** ID of the job whose RAM disk has this name; null if it is not a name of this home. */
function jobIdIn(name: string, kind: RamDiskKind, { prefix, formerShmName }: RamDiskPlaces): number | null {
  if (kind === 'shm' && name === formerShmName) return NO_JOB;
  // Older versions had no ID in the names inside the home.
  const former = kind === 'shm' ? null : /^(\d+)\.\d+$/.exec(name);
  const id = (former ?? new RegExp(`^${prefix}-(\\d+)-\\d+-\\w{6}$`).exec(name))?.[1];
  return id === undefined ? null : Number(id);
}

/** Whether a folder can be a RAM disk of an older version, whose name an unrelated folder may have as well. */
async function holdsOnlyFrames(path: string): Promise<boolean> {
  const names = await readdirOrNone(path);
  return names.every((name) => name === 'stamp.json' || /^b\d+\.(in|out)$/.test(name));
}

/** Whether this is a folder, not a link, that belongs to this user alone. */
async function isOwn(path: string): Promise<boolean> {
  try {
    const found = await lstat(path);
    return found.isDirectory() && found.uid === process.geteuid?.() && (found.mode & 0o077) === 0;
  } catch (error) {
    if (isMissingFile(error)) return false;
    throw error;
  }
}
