import { statfs } from 'node:fs/promises';
import { failed, passed, warned, type CheckResult } from '../check.ts';

const GIGABYTE = 1e9;
const SCARCE_BYTES = 10 * GIGABYTE;
const NEARLY_FULL_BYTES = 0.5 * GIGABYTE;

/** Checks the free disk space for segments and finished videos. */
export async function checkDiskSpace(folder: string): Promise<CheckResult> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  const found = `${(freeBytes / GIGABYTE).toFixed(1)} GB free in ${folder}`;
  const remedy = 'Free some disk space, or choose another folder with --home.';
  if (freeBytes < NEARLY_FULL_BYTES) return failed(found, remedy);
  return freeBytes < SCARCE_BYTES ? warned(found, remedy) : passed(found);
}
