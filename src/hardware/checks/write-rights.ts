import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../domain/errors.ts';
import { failed, passed, type CheckResult } from '../check.ts';

/** Checks by writing a file to each folder, which also finds read-only mounts and full disks. */
export async function checkWriteRights(folders: readonly string[]): Promise<CheckResult> {
  const unwritable: string[] = [];
  for (const folder of folders) {
    const probe = join(folder, `.framekiln-write-test-${process.pid}`);
    try {
      await writeFile(probe, 'x');
      await rm(probe);
    } catch (error) {
      unwritable.push(`${folder} (${codeOf(error)})`);
    }
  }
  if (unwritable.length === 0) return passed(`all ${folders.length} folders are writable`);
  return failed(
    `not writable: ${unwritable.join(', ')}`,
    'Make them writable by this user (chown), or choose another folder with --home.',
  );
}
