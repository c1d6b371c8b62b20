import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toError } from '../../domain/errors.ts';
import { failPoint } from '../../lib/fail-point.ts';
import { syncFolder } from '../../workspace/durable-file.ts';
import { moveAside } from '../../workspace/move-aside.ts';
import type { JobContext } from '../job-context.ts';
import { assertSameSource } from '../prepare/prepare-source.ts';

/**
 * Moves or deletes the source of a published job where the settings ask for it; by default the source stays untouched.
 * A source that cannot be moved is a warning, and the job is done all the same. Repeating this after a crash is safe.
 *
 * @param signature of the source when it was read; null where unknown, and the source is then read again
 */
export async function settleSource(
  { home, job, settings, log, signal }: JobContext,
  signature: string | null,
): Promise<void> {
  if (job.origin === 'run' || settings.output.source === 'keep') return;
  // Already settled by a worker that died right after, or removed by a person.
  if (!existsSync(job.sourcePath)) return;
  try {
    // Another file may have this name by now, and that file was never processed.
    await assertSameSource(signature, job, signal);
    failPoint('source.before-settling');
    if (settings.output.source === 'delete') {
      await rm(job.sourcePath);
      await syncFolder(dirname(job.sourcePath));
    } else await moveAside(job.sourcePath, join(home.root, 'finished'), String(job.id));
    failPoint('source.settled');
  } catch (error) {
    log.warn(`the source stays in place: ${toError(error).message}`);
  }
}
