import { passed, warned, type CheckResult } from '../check.ts';

const GIGABYTE = 1e9;
const LITTLE_MEMORY_BYTES = 2 * GIGABYTE;

/** @param machine cores that this process may use, and memory that can be had without swapping */
export function checkMachine(machine: { readonly cores: number; readonly memoryBytes: number }): CheckResult {
  const found = `${machine.cores} cores, ${(machine.memoryBytes / GIGABYTE).toFixed(1)} GB of memory to be had`;
  if (machine.memoryBytes >= LITTLE_MEMORY_BYTES) return passed(found);
  return warned(found, 'Close other programs: with less than 2 GB, frames are cut into small tiles.');
}
