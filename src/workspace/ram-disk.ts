import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { childEnvironment } from '../config/environment.ts';
import { toError } from '../domain/errors.ts';
import type { Lease } from '../domain/job.ts';
import { failPoint } from '../lib/fail-point.ts';
import { isOwnerAlive, parseOwner } from '../lib/process/process-identity.ts';
import { readdirOrNone } from './job-folder.ts';
import { availableMemoryBytes } from './memory.ts';
import { isMissingFile } from '../lib/file-errors.ts';
import { runCaptured } from '../lib/process/captured-process.ts';

const MOUNT_TIMEOUT_MS = 30_000;

/** @throws Error with the last line that the program wrote to standard error */
async function run(program: string, args: readonly string[]): Promise<void> {
  const end = await runCaptured([program, ...args], { env: childEnvironment(), timeoutMs: MOUNT_TIMEOUT_MS });
  if (end.exitCode !== 0)
    throw new Error(end.stderr.trim().split('\n').at(-1) || `${program}: ${end.outcome}`);
}

export type RamDiskKind = 'mount' | 'shm' | 'folder';

export interface RamDiskRequest {
  readonly kind: 'auto' | RamDiskKind;
  /** Share of the free memory that it may take. */
  readonly memoryFraction: number;
}

/** Where the RAM disks of one home lie, by kind. */
export interface RamDiskPlaces {
  readonly mount: string;
  readonly shm: string;
  readonly folder: string;
}

export interface RamDisk {
  readonly kind: RamDiskKind;
  readonly path: string;
  readonly sizeBytes: number;
  /** Whether frames of an earlier, dead process were found on it and kept. */
  readonly adopted: boolean;
  /** Why it is not of a better kind, in a sentence; null where it is the best. */
  readonly reason: string | null;
}

/** Who filled a RAM disk (`formatOwner`), and with the frames of what; frames are used again only for the same. */
export interface Stamp {
  readonly owner: string;
  readonly contents: string;
}

/** Smaller than this, `/dev/shm` (64 MB in a container) is not worth having. */
const SMALLEST_SHM_BYTES = 256 * 1024 * 1024;

/** @param stateDir the home's `.framekiln` */
export function ramDiskPlaces(stateDir: string): RamDiskPlaces {
  const home = createHash('sha256').update(stateDir).digest('hex').slice(0, 12);
  return {
    mount: join(stateDir, 'ram'),
    shm: `/dev/shm/framekiln-${home}`,
    folder: join(stateDir, 'frames'),
  };
}

/**
 * Sets up a job's RAM disk: a tmpfs of its own where mounting is permitted, else a folder in `/dev/shm`, else a
 * plain folder (A4). What a dead process left there for the same contents is adopted; everything else is wiped.
 * A process that is only stopped still has its files open, so its frames are never adopted, and the wipe unlinks
 * them from under it (R10).
 */
export async function openRamDisk(
  places: RamDiskPlaces,
  { jobId, token }: Pick<Lease, 'jobId' | 'token'>,
  stamp: Stamp,
  request: RamDiskRequest,
): Promise<RamDisk> {
  for (const found of await findLeftovers(places, jobId)) {
    if (await mayAdopt(found.path, stamp)) {
      await writeStamp(found.path, stamp);
      return { ...found, sizeBytes: await sizeOf(found), adopted: true, reason: null };
    }
    await removeRamDisk(found);
  }
  const budget = Math.floor((await availableMemoryBytes()) * request.memoryFraction);
  failPoint('ram-disk.before-set-up');
  const created = await create(places, `${jobId}.${token}`, request.kind, budget);
  failPoint('ram-disk.set-up');
  await writeStamp(created.path, stamp);
  failPoint('ram-disk.stamped');
  return { ...created, adopted: false };
}

/** Gives the memory back. */
export async function removeRamDisk(disk: {
  readonly kind: RamDiskKind;
  readonly path: string;
}): Promise<void> {
  failPoint('ram-disk.before-removal');
  // Lazily: a dying ffmpeg may still hold a file; the name is free at once and the memory when it is gone.
  if (disk.kind === 'mount') await run('umount', ['--lazy', disk.path]);
  failPoint('ram-disk.unmounted');
  await rm(disk.path, { recursive: true, force: true });
  failPoint('ram-disk.removed');
}

/** Removes whatever RAM disk a job has. */
export async function removeRamDiskOf(places: RamDiskPlaces, jobId: number): Promise<void> {
  for (const found of await findLeftovers(places, jobId)) await removeRamDisk(found);
}

/** Removes RAM disks of jobs that are over, whoever left them. @returns how many there were */
export async function removeOrphanRamDisks(
  places: RamDiskPlaces,
  unfinished: ReadonlySet<number>,
): Promise<number> {
  let removed = 0;
  for (const kind of ['mount', 'shm', 'folder'] as const) {
    for (const name of await readdirOrNone(places[kind])) {
      if (unfinished.has(jobOf(name))) continue;
      const path = join(places[kind], name);
      await removeRamDisk({ kind: kind === 'mount' && !(await isMountPoint(path)) ? 'folder' : kind, path });
      removed++;
    }
  }
  return removed;
}

async function create(
  places: RamDiskPlaces,
  name: string,
  kind: RamDiskRequest['kind'],
  budget: number,
): Promise<Omit<RamDisk, 'adopted'>> {
  const reasons: string[] = [];
  if (kind === 'auto' || kind === 'mount') {
    const path = join(places.mount, name);
    const rejected = await whyNotMounted(path, budget);
    if (rejected === null) return { kind: 'mount', path, sizeBytes: budget, reason: null };
    reasons.push(`mounting a tmpfs is not possible (${rejected})`);
  }
  if (kind !== 'folder') {
    const free = await freeBytes('/dev/shm');
    const sizeBytes = Math.min(budget, Math.floor(free * 0.85));
    if (sizeBytes >= SMALLEST_SHM_BYTES) {
      const path = join(places.shm, name);
      await mkdir(path, { recursive: true, mode: 0o700 });
      return { kind: 'shm', path, sizeBytes, reason: reasons.join('; ') || null };
    }
    reasons.push(`/dev/shm has only ${Math.floor(free / 1024 / 1024)} MB free`);
  }
  const path = join(places.folder, name);
  await mkdir(path, { recursive: true, mode: 0o700 });
  // No memory is spent, but the page cache plays its part: the budget keeps batches of a sensible size.
  return {
    kind: 'folder',
    path,
    sizeBytes: Math.min(budget, await freeBytes(path)),
    reason: reasons.join('; ') || null,
  };
}

/** Mounts a tmpfs. @returns null, or why it was rejected */
async function whyNotMounted(path: string, sizeBytes: number): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'only root may';
  await mkdir(path, { recursive: true, mode: 0o700 });
  try {
    const options = `size=${sizeBytes},mode=0700,nosuid,nodev,noexec`;
    await run('mount', ['-t', 'tmpfs', '-o', options, 'framekiln', path]);
    return null;
  } catch (error) {
    await rm(path, { recursive: true, force: true });
    return toError(error).message;
  }
}

async function findLeftovers(
  places: RamDiskPlaces,
  jobId: number,
): Promise<{ kind: RamDiskKind; path: string }[]> {
  const found: { kind: RamDiskKind; path: string }[] = [];
  for (const kind of ['mount', 'shm', 'folder'] as const) {
    for (const name of await readdirOrNone(places[kind])) {
      if (jobOf(name) !== jobId) continue;
      const path = join(places[kind], name);
      // A mount point without its mount is an empty folder that a reboot left.
      found.push({ kind: kind === 'mount' && !(await isMountPoint(path)) ? 'folder' : kind, path });
    }
  }
  return found;
}

/** RAM disks are called `<job>.<token>`, so that a worker that lost its lease writes into none but its own (R10). */
function jobOf(name: string): number {
  return Number(name.split('.')[0]);
}

async function mayAdopt(path: string, stamp: Stamp): Promise<boolean> {
  const left = await readStamp(path);
  if (left === null || left.contents !== stamp.contents) return false;
  // After a power cut a plain folder may hold blocks that were never written.
  if (parseOwner(left.owner)?.bootId !== parseOwner(stamp.owner)?.bootId) return false;
  return left.owner === stamp.owner || !isOwnerAlive(left.owner);
}

async function readStamp(path: string): Promise<Stamp | null> {
  try {
    return JSON.parse(await readFile(join(path, 'stamp.json'), 'utf8')) as Stamp;
  } catch {
    return null; // Missing or torn: nobody's frames, and the caller wipes them.
  }
}

async function writeStamp(path: string, stamp: Stamp): Promise<void> {
  await writeFile(join(path, 'stamp.json'), JSON.stringify(stamp));
}

async function isMountPoint(path: string): Promise<boolean> {
  const escaped = path
    .replaceAll('\\', '\\134')
    .replaceAll(' ', '\\040')
    .replaceAll('\t', '\\011')
    .replaceAll('\n', '\\012');
  return (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .some((line) => line.split(' ')[1] === escaped);
}

async function sizeOf(disk: { kind: RamDiskKind; path: string }): Promise<number> {
  const { blocks, bsize } = await statfs(disk.path);
  return disk.kind === 'mount' ? blocks * bsize : freeBytes(disk.path);
}

async function freeBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (error) {
    if (isMissingFile(error)) return 0;
    throw error;
  }
}
