import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { constrainedMemory } from 'node:process';
import { codeOf } from '../domain/errors.ts';

/** Where the kernel tells of memory. */
export interface MemoryPlaces {
  readonly meminfo: string;
  /** The control groups that this process is in. */
  readonly ownGroups: string;
  /** Where control groups are mounted. */
  readonly groups: string;
}

const PLACES: MemoryPlaces = {
  meminfo: '/proc/meminfo',
  ownGroups: '/proc/self/cgroup',
  groups: '/sys/fs/cgroup',
};

/** Frames in memory leave so much of it to models, encoders and other programs. */
const RESERVE_SHARE = 0.15;
const LARGEST_RESERVE_BYTES = 1024 ** 3;

/**
 * Bytes of memory that can be had without swapping: the system's, or what the tightest control group around us leaves, if
 * less. The page cache counts as free: files on a tmpfs do not.
 */
export async function availableMemoryBytes(places: MemoryPlaces = PLACES): Promise<number> {
  const text = await readFile(places.meminfo, 'utf8');
  const kibibytes = /^MemAvailable:\s+(\d+) kB/m.exec(text)?.[1];
  if (kibibytes === undefined) throw new Error('/proc/meminfo has no MemAvailable line.');
  return Math.max(0, Math.min(Number(kibibytes) * 1024, ...(await leftInGroups(places))));
}

/** All memory that there is for us, used or not. */
export function totalMemoryBytes(): number {
  const limit = constrainedMemory();
  // Without a limit it is 0, or an absurdly large number.
  return limit > 0 ? Math.min(totalmem(), limit) : totalmem();
}

/** What frames may still take without the machine, or our control group, running out of memory. */
export async function spareMemoryBytes(): Promise<number> {
  const reserve = Math.min(totalMemoryBytes() * RESERVE_SHARE, LARGEST_RESERVE_BYTES);
  return (await availableMemoryBytes()) - reserve;
}

/** Files of the two versions of control groups; the counters of the first are its own without their `total_`. */
const VERSIONS = [
  {
    own: /^0::(.*)$/m,
    mount: '',
    limit: 'memory.max',
    used: 'memory.current',
    cache: /^(?:in)?active_file (\d+)$/gm,
  },
  {
    own: /^\d+:memory:(.*)$/m,
    mount: 'memory',
    limit: 'memory.limit_in_bytes',
    used: 'memory.usage_in_bytes',
    cache: /^total_(?:in)?active_file (\d+)$/gm,
  },
] as const;

/** Bytes that each group around us may still take, where one has a limit. */
async function leftInGroups({ ownGroups, groups }: MemoryPlaces): Promise<number[]> {
  const own = (await readOrNull(ownGroups)) ?? '';
  const left: number[] = [];
  for (const version of VERSIONS) {
    const path = version.own.exec(own)?.[1];
    if (path === undefined) continue;
    const root = join(groups, version.mount);
    // A container may see its own group as the root, under a path that only the host knows: what is missing is passed over.
    for (let folder = join(root, path); folder.startsWith(root); folder = dirname(folder)) {
      const limit = Number(await readOrNull(join(folder, version.limit)));
      const used = await readOrNull(join(folder, version.used));
      // `max` and the first version's absurdly large number are no limits.
      if (!(limit > 0 && limit < Number.MAX_SAFE_INTEGER) || used === null) continue;
      const stat = (await readOrNull(join(folder, 'memory.stat'))) ?? '';
      const cache = [...stat.matchAll(version.cache)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
      left.push(limit - Number(used) + cache);
    }
  }
  return left;
}

/** A machine without control groups, and a group that ends meanwhile, have no such file. */
async function readOrNull(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENODEV'].includes(codeOf(error))) return null;
    throw error;
  }
}
