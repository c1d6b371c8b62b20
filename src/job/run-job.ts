import { rm } from 'node:fs/promises';
import { relative } from 'node:path';
import { InputRejectedError } from '../domain/errors.ts';
import { formatDuration } from '../observability/format-progress.ts';
import { streamedSpeech } from '../domain/recipe.ts';
import { readReport } from '../reports/media-report.ts';
import { JobFolder } from '../workspace/job-folder.ts';
import { processBatches } from './batches/process-batches.ts';
import { joinAndVerify } from './finish/join-and-verify.ts';
import { makeThumbnails } from './finish/make-thumbnails.ts';
import { publishOutput, type PublishedOutput } from './finish/publish-output.ts';
import { settleSource } from './finish/settle-source.ts';
import type { JobContext } from './job-context.ts';
import { assertFoldersPresent } from './missing-folders.ts';
import { prepareJob } from './prepare/prepare-job.ts';
import { assertUnchanged } from './prepare/assert-unchanged.ts';
import { extendDirections } from './stream/extend-directions.ts';
import { makeEarlyBatches } from './stream/make-early-batches.ts';
import { stillFormatOfJob } from './still/still-format-of-job.ts';

/** Commits every missing batch of a job: on this machine, or on those of a cluster. */
export type DoBatches = typeof processBatches;

/**
 * Runs one job from its current state to the end. Work that has a checkpoint is never done again. The row in the queue
 * is finished last: a process killed before that leaves a job that the next worker resumes.
 *
 * Throws the error that ended the job; the caller decides what it means for the job.
 */
export async function runJob(context: JobContext, doBatches: DoBatches = processBatches): Promise<void> {
  const { home, job, lease, queue, settings, log } = context;
  const startedAtMs = performance.now();
  await assertFoldersPresent(context);
  const folder = new JobFolder(home, job.id);
  const output =
    job.publishedAtMs === null ? await makeOutput(context, folder, doBatches) : await earlierOutput(context);
  await settleSource(context, output);
  if (!settings.workspace.keepJobFolders) await folder.remove();
  const speech = streamedSpeech(job.recipe);
  if (speech !== null) await rm(speech, { force: true });
  queue.analyses.removeAnalysis(lease);
  queue.leases.finish(lease, Date.now());
  const outputPath = output?.path ?? job.outputPath;
  log.info(`done in ${formatDuration(performance.now() - startedAtMs)}: ${relative(home.root, outputPath)}`);
}

/** Takes the source through all stages to its published output. */
async function makeOutput(
  context: JobContext,
  folder: JobFolder,
  doBatches: DoBatches,
): Promise<PublishedOutput> {
  await folder.create();
  try {
    const still = await stillFormatOfJob(context.job);
    if (still !== null) {
      // Loaded only now, because every worker would wait for sharp, which few jobs need.
      const { makeStill } = await import('./still/make-still.ts');
      return await publishOutput(context, await makeStill(context, folder, still));
    }
    const speech = streamedSpeech(context.job.recipe);
    const planned = speech === null ? context : await makeEarlyBatches(context, folder, speech);
    const prepared = await prepareJob(planned, folder);
    if (speech !== null) extendDirections(planned, prepared);
    await doBatches(planned, folder, prepared);
    await makeThumbnails(planned, prepared);
    return await publishOutput(planned, await joinAndVerify(planned, folder, prepared));
  } catch (error) {
    await assertStillThere(context, error);
    throw error;
  }
}

/** What a rejection says of the source may be true of another file, or of none, if it was moved or replaced meanwhile. */
async function assertStillThere({ job, signal }: JobContext, error: unknown): Promise<void> {
  if (error instanceof InputRejectedError) await assertUnchanged(job, signal);
}

/** The output that an earlier worker published, read from its report; null if the report is missing or damaged. */
async function earlierOutput({ home, job }: JobContext): Promise<PublishedOutput | null> {
  const report = await readReport(home, job.id);
  if (report === null || report === 'torn' || report.outputSha256 === undefined) return null;
  return { path: report.output, sha256: report.outputSha256, sourceDamage: report.sourceDamage ?? null };
}
