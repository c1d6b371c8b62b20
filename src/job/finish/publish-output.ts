import { rm } from 'node:fs/promises';
import { LeaseLostError } from '../../domain/errors.ts';
import { assessDamage } from '../../media/index/damage.ts';
import { LEASE_MS } from '../../queue/lease-store.ts';
import { reportLines, writeReport } from '../../reports/media-report.ts';
import { publishFile } from '../../workspace/durable-file.ts';
import type { JobContext } from '../job-context.ts';
import type { PreparedJob } from '../prepare/prepared-job.ts';
import { buildReport } from './build-report.ts';
import type { JoinedOutput } from './join-and-verify.ts';

/** The finished video under its final name. */
export interface PublishedOutput {
  readonly outputPath: string;
  /** Signature of the source that the output was made from. */
  readonly sourceSignature: string;
}

/** Gives the verified file its final name in one step, then writes and logs the report of the job. */
export async function publishOutput(
  { home, job, lease, queue, log }: JobContext,
  prepared: PreparedJob,
  { temporaryPath, streams }: JoinedOutput,
): Promise<PublishedOutput> {
  const { outputPath, signature, media, index } = prepared;
  try {
    // A lease token cannot guard a file, so the lease is checked at the last moment.
    if (!queue.leases.renew(lease, Date.now(), LEASE_MS))
      throw new LeaseLostError(`Job ${job.id} now belongs to another worker.`);
    await publishFile(temporaryPath, outputPath, 'output');
    const report = buildReport(job, prepared, streams, assessDamage(media, index));
    await writeReport(home, job.id, report);
    for (const line of reportLines(report)) log.info(line);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
  queue.progress.setPublished(lease, outputPath, Date.now());
  return { outputPath, sourceSignature: signature };
}
