import { basename, relative } from 'node:path';
import { isMoving, type Job } from '../domain/job.ts';
import { describeRecipe } from '../domain/recipe.ts';

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
  const name = relative(inputDir, path);
  const other = isMoving(job) || job.sourcePath === path ? '' : `${relative(inputDir, job.sourcePath)}, `;
  return `${name} skipped: same content as job ${job.id} (${other}${job.state})${howToRepeat(job)}`;
}

/** The end of such a sentence: the command that processes the content of a job now; empty if that needs none. */
export function howToRepeat(job: Pick<Job, 'id' | 'state'>): string {
  if (isMoving(job)) return '';
  return job.state === 'paused'
    ? `; to resume it: framekiln resume ${job.id}`
    : `; to process it again: framekiln retry ${job.id}`;
}
