import { rm } from 'node:fs/promises';
import { LeaseLostError } from '../../domain/errors.ts';
import { assessDamage } from '../../media/index/damage.ts';
import { LEASE_MS } from '../../queue/lease-store.ts';
import { reportLines, writeReport } from '../../reports/media-report.ts';
import { sha256File } from '../../lib/sha256-file.ts';
import { publishFile } from '../../workspace/durable-file.ts';
import type { JobContext } from '../job-context.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';
import { buildReport } from './build-report.ts';
import type { JoinedOutput } from './join-and-verify.ts';

/** The finished video under its final name. */
export interface PublishedOutput {
  readonly path: string;
  /** sha256 of the verified file, hex. */
  readonly sha256: string;
  /** What is damaged in the source; null where nothing is. */
  readonly sourceDamage: string | null;
}

/** Gives the verified file its final name in one step, then writes and logs the report of the job. */
export async function publishOutput(
  { home, job, lease, queue, log, signal }: JobContext,
  prepared: PreparedJob,
  { temporaryPath, streams }: JoinedOutput,
): Promise<PublishedOutput> {
  const { outputPath, media, index } = prepared;
  const damage = assessDamage(media, index);
  let sha256: string;
  try {
    sha256 = await sha256File(temporaryPath, signal);
    // A lease token cannot guard a file, so the lease is checked at the last moment.
    if (!queue.leases.renew(lease, Date.now(), LEASE_MS))
      throw new LeaseLostError(`Job ${job.id} now belongs to another worker.`);
    await publishFile(temporaryPath, outputPath, 'output');
    const report = buildReport(job, prepared, streams, { damage, sha256 });
    await writeReport(home, job.id, report);
    for (const line of reportLines(report)) log.info(line);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
  queue.progress.setPublished(lease, outputPath, Date.now());
  return { path: outputPath, sha256, sourceDamage: damage.sentence };
}
