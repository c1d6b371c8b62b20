import { passed, warned, type CheckResult } from '../check.ts';

const GIGABYTE = 1e9;
const LITTLE_MEMORY_BYTES = 2 * GIGABYTE;

/**
 * @param machine cores that this process may use, memory that can be had without swapping, and what a control group
 *   allows (null: no limit)
 */
export function checkMachine(machine: {
  readonly cores: number;
  readonly memoryBytes: number;
  readonly limits: { readonly memoryBytes: number | null; readonly cores: number | null };
}): CheckResult {
  const { limits } = machine;
  const group = [
    ...(limits.memoryBytes === null ? [] : [`${(limits.memoryBytes / GIGABYTE).toFixed(1)} GB`]),
    ...(limits.cores === null ? [] : [`${limits.cores.toFixed(1)} cores`]),
  ];
  const allowed = group.length === 0 ? '' : `; its control group allows ${group.join(' and ')}`;
  const found = `${machine.cores} cores, ${(machine.memoryBytes / GIGABYTE).toFixed(1)} GB of memory to be had${allowed}`;
  if (machine.memoryBytes >= LITTLE_MEMORY_BYTES) return passed(found);
  return warned(found, 'Close other programs: with less than 2 GB, frames are cut into small tiles.');
}
