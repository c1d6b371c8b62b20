import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toError } from '../domain/errors.ts';
import { failPoint } from '../lib/fail-point.ts';
import { moveAside } from '../workspace/move-aside.ts';
import type { JobContext } from './job-context.ts';
import type { PlannedJob } from './planned-job.ts';
import { assertSameSource } from './prepare-source.ts';

/**
 * What the configuration wants done with the source of a finished job; it is untouched by default (R18). The job is
 * done whatever comes of this: a source that cannot be moved is a warning.
 */
export async function settleSource(
  { home, job, settings, log, signal }: JobContext,
  planned: PlannedJob,
): Promise<void> {
  if (job.origin === 'run' || settings.output.source === 'keep') return;
  try {
    // Another file may have taken its name meanwhile; that one was never processed.
    await assertSameSource(planned, job, signal);
    failPoint('source.before-settling');
    if (settings.output.source === 'delete') await rm(job.sourcePath);
    else await moveAside(job.sourcePath, join(home.root, 'finished'), String(job.id));
    failPoint('source.settled');
  } catch (error) {
    log.warn(`the source stays where it is: ${toError(error).message}`);
  }
}
