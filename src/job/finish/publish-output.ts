import { rename, rm, stat } from 'node:fs/promises';
import { codeOf } from '../../domain/errors.ts';
import { leaseLost } from '../../queue/lease-guard.ts';
import { LEASE_MS } from '../../queue/lease-store.ts';
import { writeDecisions } from '../../reports/decisions-file.ts';
import { reportLines, writeReport, type MediaReport } from '../../reports/media-report.ts';
import { sha256File } from '../../lib/sha256-file.ts';
import { publishFile, renameIfFree } from '../../workspace/durable-file.ts';
import type { JobContext } from '../job-context.ts';
import { reserveOutputName } from '../output-name.ts';

/** The finished video under its final name. */
export interface PublishedOutput {
  readonly path: string;
  /** SHA-256 of the verified file, in hex. */
  readonly sha256: string;
  /** What is damaged in the source; null where nothing is. */
  readonly sourceDamage: string | null;
}

/** What the report says of the published file. */
export interface PublishedFile {
  readonly outputPath: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** A verified file that has not got its final name yet. */
export interface VerifiedOutput {
  readonly temporaryPath: string;
  /** Path that it should get. */
  readonly outputPath: string;
  readonly sourceDamage: string | null;
  readonly report: (published: PublishedFile) => MediaReport;
}

/** Gives the verified file its final name in one step, then writes and logs the report of the job. */
export async function publishOutput(
  context: JobContext,
  { temporaryPath, outputPath: wanted, sourceDamage, report: reportOf }: VerifiedOutput,
): Promise<PublishedOutput> {
  const { home, job, lease, queue, log, signal } = context;
  try {
    const sha256 = await sha256File(temporaryPath, signal);
    // A lease token cannot guard a file, so the lease is checked at the last moment.
    if (!queue.leases.renew(lease, Date.now(), LEASE_MS)) throw leaseLost(lease);
    const { size: bytes } = await stat(temporaryPath);
    queue.outputs.addWritten(job, { sha256, bytes });
    const outputPath = await giveName(context, temporaryPath, wanted);
    const report = reportOf({ outputPath, sha256, bytes });
    const decisions = queue.analyses.getDecisions(job.id);
    if (decisions !== null) await writeDecisions(home, job, decisions);
    await writeReport(home, job.id, report);
    for (const line of reportLines(report)) log.info(line);
    queue.progress.setPublished(lease, outputPath, Date.now());
    return { path: outputPath, sha256, sourceDamage };
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
}

/** Renames the verified file to the first free name. A file that has taken the name meanwhile stays. @returns the path */
async function giveName(context: JobContext, temporaryPath: string, wanted: string): Promise<string> {
  for (;;) {
    const { path, replaces } = await reserveOutputName(context, wanted);
    try {
      await publishFile(temporaryPath, path, 'output', (from, to) =>
        replaces ? rename(from, to) : renameIfFree(from, to, context.home.id),
      );
      return path;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
}
