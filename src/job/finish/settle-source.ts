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
 * What the configuration wants done with the source of a published job; it is untouched by default (R18). The job is
 * done whatever comes of this: a source that cannot be moved is a warning. Done twice after a crash it gives the same.
 *
 * @param signature as `assertSameSource` takes it
 */
export async function settleSource(
  { home, job, settings, log, signal }: JobContext,
  signature: string | null,
): Promise<void> {
  if (job.origin === 'run' || settings.output.source === 'keep') return;
  // Settled already by a worker that died before it could say so, or taken away by a person.
  if (!existsSync(job.sourcePath)) return;
  try {
    // Another file may have taken its name meanwhile; that one was never processed.
    await assertSameSource(signature, job, signal);
    failPoint('source.before-settling');
    if (settings.output.source === 'delete') {
      await rm(job.sourcePath);
      await syncFolder(dirname(job.sourcePath));
    } else await moveAside(job.sourcePath, join(home.root, 'finished'), String(job.id));
    failPoint('source.settled');
  } catch (error) {
    log.warn(`the source stays where it is: ${toError(error).message}`);
  }
}
