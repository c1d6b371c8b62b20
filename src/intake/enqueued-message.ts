import { basename } from 'node:path';
import type { Job } from '../domain/job.ts';
import { describeRecipe } from '../domain/recipe.ts';
import { nameInInput } from '../lib/byte-name.ts';

/**
 * The log line for a file that was queued as a new job.
 *
 * @param outputPath the output that was asked for; the job has another one if that name is taken
 * @param estimate of time and space, as text
 */
export function queuedMessage(
  name: string,
  {
    job,
    outputPath,
    estimate,
  }: { readonly job: Job; readonly outputPath: string; readonly estimate: string },
): string {
  const renamed =
    job.outputPath === outputPath
      ? ''
      : `; the output will be named ${basename(job.outputPath)}, because ${basename(outputPath)} is taken`;
  return `${name} queued as job ${job.id}: ${describeRecipe(job.recipe)} (${estimate})${renamed}`;
}

/** The log line for a file whose content and recipe already have a job. */
export function skippedMessage(path: string, job: Job, inputDir: string): string {
  const name = nameInInput(inputDir, path);
  if (job.state === 'queued' || job.state === 'running')
    return `${name} skipped: same content as job ${job.id} (${job.state})`;
  const other = job.sourcePath === path ? '' : `${nameInInput(inputDir, job.sourcePath)}, `;
  const toProcess =
    job.state === 'paused' ? 'to process it: framekiln resume' : 'to process it again: framekiln retry';
  return `${name} skipped: same content as job ${job.id} (${other}${job.state}); ${toProcess} ${job.id}`;
}
