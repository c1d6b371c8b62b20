import { statfs } from 'node:fs/promises';
import { failed, passed, warned, type CheckResult } from '../check.ts';

const GIGABYTE = 1e9;
const SCARCE_BYTES = 10 * GIGABYTE;
const HARDLY_ANY_BYTES = 0.5 * GIGABYTE;

/** Free space where segments and finished videos are written. */
export async function checkDiskSpace(folder: string): Promise<CheckResult> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  const found = `${(freeBytes / GIGABYTE).toFixed(1)} GB free at ${folder}`;
  const remedy = 'Free some space, or use another folder with --home.';
  if (freeBytes < HARDLY_ANY_BYTES) return failed(found, remedy);
  return freeBytes < SCARCE_BYTES ? warned(found, remedy) : passed(found);
}
