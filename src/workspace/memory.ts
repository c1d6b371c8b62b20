import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { constrainedMemory } from 'node:process';

/** Bytes of memory that can be had without swapping: the system's, or what the control group leaves, if less. */
export async function availableMemoryBytes(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8');
  const kibibytes = /^MemAvailable:\s+(\d+) kB/m.exec(text)?.[1];
  if (kibibytes === undefined) throw new Error('/proc/meminfo has no MemAvailable line.');
  return withinGroup(Number(kibibytes) * 1024);
}

/** All memory that there is for us, used or not. */
export function totalMemoryBytes(): number {
  return withinGroup(totalmem());
}

function withinGroup(bytes: number): number {
  const limit = constrainedMemory();
  // Without a limit it is 0, or an absurdly large number.
  return limit > 0 ? Math.min(bytes, limit) : bytes;
}
