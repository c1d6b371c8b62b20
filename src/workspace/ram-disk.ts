import { mkdir, realpath, rm, rmdir, statfs } from 'node:fs/promises';
import { contains, type IdentifiedHome } from '../config/home.ts';
import { codeOf } from '../domain/errors.ts';
import type { Lease } from '../domain/job.ts';
import { failPoint } from '../lib/fail-point.ts';
import { freeBytes } from './free-bytes.ts';
import { availableMemoryBytes } from './memory.ts';
import {
  createRamDiskFolder,
  findRamDisks,
  ramDiskPlaces,
  type FoundRamDisk,
  type RamDiskKind,
  type RamDiskPlaces,
} from './ram-disk-places.ts';
import { mayAdopt, writeStamp, type Stamp } from './ram-disk-stamp.ts';
import { mayMount, tryMountTmpfs, unmountTmpfs } from './tmpfs.ts';

export interface RamDiskRequest {
  readonly kind: 'auto' | RamDiskKind;
  /** Share of the free memory that the RAM disk may use. */
  readonly memoryFraction: number;
}

/** Storage for the raw frames of one job. */
export interface RamDisk {
  readonly kind: RamDiskKind;
  readonly path: string;
  readonly sizeBytes: number;
  /** Whether frames of a dead process were found and kept. */
  readonly adopted: boolean;
  /** Why a better kind is not possible; null for the best kind. */
  readonly reason: string | null;
}

/** Smallest size for which `/dev/shm` is used; in containers it often has only 64 MB. */
const SMALLEST_SHM_BYTES = 256 * 1024 * 1024;

/** Share of the free space of `/dev/shm` that a RAM disk may use. */
const MAX_SHM_SHARE = 0.85;

/**
 * Opens the RAM disk of a job: a tmpfs if mounting is permitted, else a folder in `/dev/shm`, else a folder on disk. Frames
 * that a dead process left for the same contents are adopted; anything else that is left of this job is deleted. A process
 * that is only suspended still has its files open: its frames are deleted, never adopted.
 */
export async function openRamDisk(
  places: RamDiskPlaces,
  lease: Pick<Lease, 'jobId' | 'token'>,
  stamp: Stamp,
  request: RamDiskRequest,
): Promise<RamDisk> {
  for (const found of await ramDisksOf(places, lease.jobId)) {
    if (await mayAdopt(found.path, stamp)) {
      await writeStamp(found.path, stamp);
      const { kind, path } = found;
      return { kind, path, sizeBytes: await sizeOf(found), adopted: true, reason: null };
    }
    await removeRamDisk(found);
  }
  const budgetBytes = Math.floor((await availableMemoryBytes()) * request.memoryFraction);
  failPoint('ram-disk.before-set-up');
  const created = await create(places, lease, request.kind, budgetBytes);
  failPoint('ram-disk.set-up');
  await writeStamp(created.path, stamp);
  failPoint('ram-disk.stamped');
  return { ...created, adopted: false };
}

/** Deletes a RAM disk and frees its memory. */
export async function removeRamDisk({ kind, path }: Pick<RamDisk, 'kind' | 'path'>): Promise<void> {
  failPoint('ram-disk.before-removal');
  if (kind === 'mount') await unmountTmpfs(path);
  failPoint('ram-disk.unmounted');
  await rm(path, { recursive: true, force: true });
  failPoint('ram-disk.removed');
}

/** Deletes all RAM disks of a job. */
export async function removeRamDiskOf(places: RamDiskPlaces, jobId: number): Promise<void> {
  for (const found of await ramDisksOf(places, jobId)) await removeRamDisk(found);
}

/** Deletes RAM disks that belong to no unfinished job. @returns their count */
export async function removeOrphanRamDisks(
  places: RamDiskPlaces,
  unfinished: ReadonlySet<number>,
): Promise<number> {
  const orphans = (await findRamDisks(places)).filter(({ jobId }) => !unfinished.has(jobId));
  for (const orphan of orphans) await removeRamDisk(orphan);
  return orphans.length;
}

/**
 * Deletes the RAM disks with the ID of this home that lie in the home itself: after it was copied, they are copies of those
 * of the original.
 */
export async function removeRamDisksInside(home: Pick<IdentifiedHome, 'id' | 'stateDir'>): Promise<void> {
  const inside = await realpath(home.stateDir);
  for (const found of await findRamDisks(ramDiskPlaces(home)))
    if (contains(inside, found.path)) await removeRamDisk(found);
}

async function ramDisksOf(places: RamDiskPlaces, jobId: number): Promise<FoundRamDisk[]> {
  return (await findRamDisks(places)).filter((found) => found.jobId === jobId);
}

async function create(
  places: RamDiskPlaces,
  lease: Pick<Lease, 'jobId' | 'token'>,
  kind: RamDiskRequest['kind'],
  budgetBytes: number,
): Promise<Omit<RamDisk, 'adopted'>> {
  const reasons: string[] = [];
  if (kind === 'auto' || kind === 'mount') {
    const mounted = await mountNew(places, lease, budgetBytes);
    if ('path' in mounted) return { kind: 'mount', path: mounted.path, sizeBytes: budgetBytes, reason: null };
    reasons.push(`cannot mount a tmpfs: ${mounted.whyNot}`);
  }
  if (kind !== 'folder') {
    const free = await freeBytes('/dev/shm');
    const sizeBytes = Math.min(budgetBytes, Math.floor(free * MAX_SHM_SHARE));
    if (sizeBytes >= SMALLEST_SHM_BYTES) {
      try {
        const path = await createRamDiskFolder(places, 'shm', lease);
        return { kind: 'shm', path, sizeBytes, reason: reasons.join('; ') || null };
      } catch (error) {
        // In some containers, only root may write there.
        reasons.push(`cannot create a folder in /dev/shm: ${codeOf(error)}`);
      }
    } else {
      const megabytes = (bytes: number): number => Math.floor(bytes / 1024 / 1024);
      reasons.push(
        budgetBytes < SMALLEST_SHM_BYTES
          ? `the job may use only ${megabytes(budgetBytes)} MB of memory (workspace.memoryFraction)`
          : `/dev/shm has only ${megabytes(free)} MB free`,
      );
    }
  }
  await mkdir(places.folders.folder, { recursive: true, mode: 0o700 });
  const path = await createRamDiskFolder(places, 'folder', lease);
  // A folder on disk uses no memory apart from the page cache; the limit only keeps batches at a sensible size.
  const sizeBytes = Math.min(budgetBytes, await freeBytes(path));
  return { kind: 'folder', path, sizeBytes, reason: reasons.join('; ') || null };
}

async function mountNew(
  places: RamDiskPlaces,
  lease: Pick<Lease, 'jobId' | 'token'>,
  sizeBytes: number,
): Promise<{ path: string } | { whyNot: string }> {
  if (!mayMount()) return { whyNot: 'requires root' };
  await mkdir(places.folders.mount, { recursive: true, mode: 0o700 });
  const path = await createRamDiskFolder(places, 'mount', lease);
  const whyNot = await tryMountTmpfs(places.prefix, path, sizeBytes);
  if (whyNot === null) return { path };
  await rmdir(path);
  return { whyNot };
}

async function sizeOf({ kind, path }: FoundRamDisk): Promise<number> {
  if (kind !== 'mount') return freeBytes(path);
  const { blocks, bsize } = await statfs(path);
  return blocks * bsize;
}
