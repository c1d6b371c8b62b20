import { stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import type { Home } from '../config/home.ts';
import type { Settings } from '../config/settings.ts';
import type { AddRequest } from '../domain/add-request.ts';
import { InputRejectedError } from '../domain/errors.ts';
import { describeLargeEnough, fitToSource, isLargeEnough } from '../domain/target-size.ts';
import { shapeOf } from '../domain/video-shape.ts';
import { skippedMessage } from '../intake/enqueued-message.ts';
import { sha256File } from '../lib/sha256-file.ts';
import { probeMedia } from '../media/probe/probe-media.ts';
import type { Queue } from '../queue/queue.ts';
import type { NewJobEstimates } from './new-job-estimates.ts';

export interface AddTargets {
  readonly queue: Queue;
  readonly home: Home;
  readonly limits: Settings['limits'];
  readonly skipLarger: boolean;
  readonly signal: AbortSignal;
  readonly estimates: NewJobEstimates;
}

/** Queues a file named by a user, in any folder, and returns a sentence for the user. */
export async function addFile(
  { path, recipe, priority, outputFolder }: AddRequest,
  { queue, home, limits, skipLarger, signal, estimates }: AddTargets,
): Promise<string> {
  const name = basename(path);
  if (!(await stat(path)).isFile())
    throw new InputRejectedError('NOT_A_REGULAR_FILE', `${path} is not a regular file.`);
  const video = shapeOf(await probeMedia(path, limits, signal));
  if (skipLarger && isLargeEnough(recipe, video)) return `${name} ${describeLargeEnough(recipe, video)}.`;
  const { job, created } = queue.jobs.enqueue({
    origin: 'add',
    sourcePath: path,
    outputPath: join(outputFolder ?? home.output, name),
    fingerprint: await sha256File(path, signal),
    recipe: fitToSource(recipe, video),
    video,
    priority,
    nowMs: Date.now(),
  });
  if (!created) return skippedMessage(path, job, dirname(path));
  const estimate = await estimates.describe(job);
  estimates.warnIfLong(job);
  return `${name} queued as job ${job.id}: ${relative(home.root, job.outputPath)} (${estimate}).`;
}
