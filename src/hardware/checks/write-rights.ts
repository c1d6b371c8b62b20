import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../domain/errors.ts';
import { failed, passed, type CheckResult } from '../check.ts';

/** Checks by writing a file to each folder, which also finds read-only mounts and full disks. */
export async function checkWriteRights(folders: readonly string[]): Promise<CheckResult> {
  const unwritable: string[] = [];
  const codes = new Set<string>();
  for (const folder of folders) {
    const probe = join(folder, `.framekiln-write-test-${process.pid}`);
    try {
      await writeFile(probe, 'x');
      await rm(probe);
    } catch (error) {
      codes.add(codeOf(error));
      unwritable.push(`${folder} (${codeOf(error)})`);
    }
  }
  if (unwritable.length === 0) return passed(`all ${folders.length} folders are writable`);
  const remedies = new Set([...codes].map((code) => REMEDIES[code] ?? 'Check these folders and their disks'));
  return failed(
    `not writable: ${unwritable.join(', ')}`,
    `${[...remedies].join('. ')}, or choose another folder with --home.`,
  );
}

const OWNER = 'Make the folders writable by this user (chown)';
const SPACE = 'Free some disk space';
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: OWNER,
  EPERM: OWNER,
  ENOSPC: SPACE,
  EDQUOT: SPACE,
  EROFS: 'Mount the disk with write permission',
  ENOENT: 'Mount the disk of the folder or correct its link',
};
