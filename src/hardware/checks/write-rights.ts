import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../domain/errors.ts';
import { failed, passed, type CheckResult } from '../check.ts';

/** Tries to write in each folder: rights, a read-only mount and a full disk look the same to a program. */
export async function checkWriteRights(folders: readonly string[]): Promise<CheckResult> {
  const rejected: string[] = [];
  for (const folder of folders) {
    const probe = join(folder, `.framekiln-write-test-${process.pid}`);
    try {
      await writeFile(probe, 'x');
      await rm(probe);
    } catch (error) {
      rejected.push(`${folder} (${codeOf(error)})`);
    }
  }
  if (rejected.length === 0) return passed(`all ${folders.length} folders can be written`);
  return failed(
    `not writable: ${rejected.join(', ')}`,
    'Give this user write rights there (chown), or use another folder with --home.',
  );
}
