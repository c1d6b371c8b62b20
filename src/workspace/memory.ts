import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import {
  readGroupLimits,
  readGroupMemoryLeft,
  SYSTEM_GROUPS,
  type GroupPlaces,
} from '../lib/control-groups.ts';

/** The files in which the kernel describes memory. */
export interface MemoryPlaces extends GroupPlaces {
  readonly meminfo: string;
}

const PLACES: MemoryPlaces = { meminfo: '/proc/meminfo', ...SYSTEM_GROUPS };

/** Share of all memory that frames leave to models, encoders and other programs. */
const RESERVE_SHARE = 0.15;
const LARGEST_RESERVE_BYTES = 1024 ** 3;

/**
 * Bytes of memory that can be used without swapping: what the system has available, or what the tightest control group
 * still allows, if that is less. The page cache counts as free; files on a tmpfs do not.
 */
export async function availableMemoryBytes(places: MemoryPlaces = PLACES): Promise<number> {
  const text = await readFile(places.meminfo, 'utf8');
  const kibibytes = /^MemAvailable:\s+(\d+) kB/m.exec(text)?.[1];
  if (kibibytes === undefined) throw new Error('/proc/meminfo has no MemAvailable line.');
  const left = (await readGroupMemoryLeft(places)) ?? Infinity;
  return Math.max(0, Math.min(Number(kibibytes) * 1024, left));
}

/** Bytes of memory that this process may use at most: all of the machine, or the tightest limit of its control groups. */
export async function totalMemoryBytes(places: GroupPlaces = PLACES): Promise<number> {
  return Math.min(totalmem(), (await readGroupLimits(places)).memoryBytes ?? Infinity);
}

/** Bytes that frames may still take before memory runs short on the machine or in a control group. */
export async function spareMemoryBytes(): Promise<number> {
  const reserve = Math.min((await totalMemoryBytes()) * RESERVE_SHARE, LARGEST_RESERVE_BYTES);
  return (await availableMemoryBytes()) - reserve;
}
