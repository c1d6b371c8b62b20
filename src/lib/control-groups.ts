import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissingFile } from './file-errors.ts';

/** The files in which the kernel describes control groups. */
export interface GroupPlaces {
  /** Lists the control groups of this process. */
  readonly ownGroups: string;
  /** Mount point of control groups. */
  readonly groups: string;
}

/** Limits that control groups (a container, a systemd service) set for this process; null where none does. */
export interface GroupLimits {
  readonly memoryBytes: number | null;
  readonly cores: number | null;
}

export const SYSTEM_GROUPS: GroupPlaces = { ownGroups: '/proc/self/cgroup', groups: '/sys/fs/cgroup' };

interface Controller {
  /** Finds the path of the own group in `/proc/self/cgroup`. */
  readonly own: RegExp;
  readonly mount: string;
}

/** Memory files of both versions of control groups; in version 1, only `total_` counters include child groups. */
const MEMORY = [
  {
    own: /^0::(.*)$/m,
    mount: '',
    limit: 'memory.max',
    used: 'memory.current',
    cache: /^(?:in)?active_file (\d+)$/gm,
  },
  {
    own: /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m,
    mount: 'memory',
    limit: 'memory.limit_in_bytes',
    used: 'memory.usage_in_bytes',
    cache: /^total_(?:in)?active_file (\d+)$/gm,
  },
] as const;

/** Files with CPU time per period, in microseconds: one file with both in version 2, two files in version 1. */
const CPU = [
  { own: /^0::(.*)$/m, mount: '', files: ['cpu.max'] },
  {
    own: /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(.*)$/m,
    mount: 'cpu',
    files: ['cpu.cfs_quota_us', 'cpu.cfs_period_us'],
  },
] as const;

/** The tightest limits of the control group of this process and of all its ancestors. */
export async function readGroupLimits(places: GroupPlaces = SYSTEM_GROUPS): Promise<GroupLimits> {
  const memory: number[] = [];
  for (const version of MEMORY) {
    for (const folder of await groupFolders(version, places)) {
      const limit = await memoryLimit(join(folder, version.limit));
      if (limit !== null) memory.push(limit);
    }
  }
  const cores: number[] = [];
  for (const version of CPU) {
    for (const folder of await groupFolders(version, places)) {
      const texts = await Promise.all(version.files.map((name) => readOrNull(join(folder, name))));
      const [quota = NaN, period = NaN] = texts.join(' ').split(' ').map(Number);
      // Without a limit, the quota is `max` or -1.
      if (quota > 0 && period > 0) cores.push(quota / period);
    }
  }
  return { memoryBytes: leastOf(memory), cores: leastOf(cores) };
}

/**
 * Bytes of memory that the tightest control group still allows, or null where no group has a limit. The page cache counts
 * as free; files on a tmpfs do not. Negative where a group exceeds its limit.
 */
export async function readGroupMemoryLeft(places: GroupPlaces = SYSTEM_GROUPS): Promise<number | null> {
  const left: number[] = [];
  for (const version of MEMORY) {
    for (const folder of await groupFolders(version, places)) {
      const limit = await memoryLimit(join(folder, version.limit));
      const used = await readOrNull(join(folder, version.used));
      if (limit === null || used === null) continue;
      const stat = (await readOrNull(join(folder, 'memory.stat'))) ?? '';
      const cache = [...stat.matchAll(version.cache)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
      left.push(limit - Number(used) + cache);
    }
  }
  return leastOf(left);
}

/** Folders of the own group and its ancestors, up to the mount point. */
async function groupFolders(
  { own, mount }: Controller,
  { ownGroups, groups }: GroupPlaces,
): Promise<string[]> {
  const path = own.exec((await readOrNull(ownGroups)) ?? '')?.[1];
  if (path === undefined) return [];
  const root = join(groups, mount);
  const folders: string[] = [];
  // In a container, the path of its own group may exist only on the host, because its group is mounted as the root:
  // missing files are skipped.
  for (let folder = join(root, path); folder.startsWith(root); folder = dirname(folder)) folders.push(folder);
  return folders;
}

async function memoryLimit(file: string): Promise<number | null> {
  const limit = Number(await readOrNull(file));
  // Without a limit, the file holds `max` or, in version 1, a number close to 2^63.
  return limit > 0 && limit < Number.MAX_SAFE_INTEGER ? limit : null;
}

function leastOf(numbers: readonly number[]): number | null {
  return numbers.length === 0 ? null : Math.min(...numbers);
}

/** Reads a file; null on a machine without control groups, and for a group that has just been removed. */
async function readOrNull(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ENODEV';
    if (isMissingFile(error) || isGone) return null;
    throw error;
  }
}
