import { stat, statfs } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { TransientError } from '../../domain/errors.ts';
import { rateOf, spaceNeeded, stillBytes, type SpaceNeeded } from '../../domain/estimate.ts';
import type { Job } from '../../domain/job.ts';
import { isDeep, type FrameFormat } from '../../domain/media-info.ts';
import { formatBytes } from '../../lib/format-bytes.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { asUser } from '../../lib/user-umask.ts';
import type { LosslessCodec } from '../../media/speech/lossless-codec.ts';
import type { SpokenVideo } from '../../media/speech/spoken-video.ts';
import type { StillFormat } from '../../media/still/still-format.ts';
import type { JobFolder } from '../../workspace/job-folder.ts';
import type { JobContext } from '../job-context.ts';
import { assertFoldersPresent } from '../missing-folders.ts';
import type { PreparedJob } from './prepared-job.ts';

/**
 * Estimates the disk space that the rest of the job needs, so that a job does not fill the disk half-way.
 *
 * @throws TransientError DISK_FULL; the job waits and is retried automatically without using an attempt
 */
export async function checkDiskSpace(
  context: JobContext,
  folder: JobFolder,
  { index, formats, media, original, outputPath, committed }: PreparedJob,
): Promise<void> {
  const { job, queue } = context;
  const { width, height } = formats.output;
  const rate = rateOf(job.recipe, queue.history.pastJobs(job.recipe));
  // Of the video under a speech, only the speech is kept.
  const keptBytes = original === undefined ? media.bytes : 0;
  const needed = spaceNeeded(index.pts.length, width * height, keptBytes, committed, rate);
  await assertRoom(context, folder, dirname(outputPath), needed);
}

/**
 * Checks that there is room for the video under the speech of a lip-sync job, before it is made, and for all that comes after it.
 *
 * @throws TransientError DISK_FULL
 */
export async function checkDiskSpaceOfSpeech(
  context: JobContext,
  folder: JobFolder,
  { width, height, frames, cycleFrames }: SpokenVideo,
  { bytesPerPixel }: LosslessCodec,
): Promise<void> {
  const { job, queue } = context;
  const rate = rateOf(job.recipe, queue.history.pastJobs(job.recipe));
  const { segments, output } = spaceNeeded(frames, width * height, 0, [], rate);
  // Frames that repeat themselves are written twice.
  const written = frames + (cycleFrames < frames ? cycleFrames : 0);
  const lossless = written * width * height * bytesPerPixel;
  await assertRoom(context, folder, dirname(job.outputPath), { segments: segments + lossless, output });
}

async function assertRoom(
  context: JobContext,
  folder: JobFolder,
  outputFolder: string,
  needed: SpaceNeeded,
): Promise<void> {
  await assertFoldersPresent(context);
  asUser(() => makeFolder(outputFolder));
  const isOneDisk = (await stat(folder.path)).dev === (await stat(outputFolder)).dev;
  const wants: [string, number][] = isOneDisk
    ? [[outputFolder, needed.segments + needed.output]]
    : [
        [folder.path, needed.segments],
        [outputFolder, needed.output],
      ];
  for (const [path, bytes] of wants) await assertSpace(context.job, path, bytes);
}

/**
 * Checks that the output of a still image fits its disk.
 *
 * @throws TransientError DISK_FULL
 */
export async function checkDiskSpaceOfStill(
  context: JobContext,
  outputPath: string,
  { width, height, pixelFormat }: FrameFormat,
  format: StillFormat,
): Promise<void> {
  const outputFolder = dirname(outputPath);
  await assertFoldersPresent(context);
  asUser(() => makeFolder(outputFolder));
  await assertSpace(
    context.job,
    outputFolder,
    stillBytes(width * height, isDeep(pixelFormat) ? 16 : 8, format),
  );
}

async function assertSpace({ sourcePath }: Job, path: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  if (bavail * bsize >= bytes) return;
  throw new TransientError(
    'DISK_FULL',
    `${basename(sourcePath)} needs about ${formatBytes(bytes)} in ${path}, but only ${formatBytes(bavail * bsize)} is free.`,
  );
}
