import { counted } from '../../lib/counted.ts';
import type { GroupLimits } from '../../lib/control-groups.ts';
import { passed, warned, type CheckResult } from '../check.ts';

const GIGABYTE = 1e9;
const LITTLE_MEMORY_BYTES = 2 * GIGABYTE;

/**
 * Checks cores and memory.
 *
 * @param machine cores that this process may use, memory available without swapping, and limits of control groups
 */
export function checkMachine(machine: {
  readonly cores: number;
  readonly memoryBytes: number;
  readonly limits: GroupLimits;
}): CheckResult {
  const { limits } = machine;
  const group = [
    ...(limits.memoryBytes === null ? [] : [`${(limits.memoryBytes / GIGABYTE).toFixed(1)} GB`]),
    ...(limits.cores === null ? [] : [`${limits.cores.toFixed(1)} cores`]),
  ];
  const limit = group.length === 0 ? '' : `; control group limit: ${group.join(' and ')}`;
  const found = `${counted(machine.cores, 'core')}, ${(machine.memoryBytes / GIGABYTE).toFixed(1)} GB of memory available${limit}`;
  if (machine.memoryBytes >= LITTLE_MEMORY_BYTES) return passed(found);
  const remedy =
    limits.memoryBytes !== null && limits.memoryBytes < LITTLE_MEMORY_BYTES
      ? 'Raise the memory limit of the container or service'
      : 'Close other programs';
  return warned(found, `${remedy}: with less than 2 GB, frames are processed in small tiles.`);
}
