import { stat, statfs } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { ObstacleError } from '../domain/errors.ts';
import type { CommittedBatch } from '../domain/job.ts';
import { makeFolder } from '../lib/make-folder.ts';
import type { JobFolder } from '../workspace/job-folder.ts';
import type { JobContext } from './job-context.ts';
import type { PlannedJob } from './planned-job.ts';

/** Bytes a pixel of encoded video before anything is known of it: about what libx264 makes of film at CRF 18. */
const BYTES_PER_PIXEL = 0.05;

export interface SpaceNeeded {
  /** In the job's folder, beside the segments that are there. */
  readonly segments: number;
  /** In the output folder. */
  readonly output: number;
}

/**
 * What a job still needs on the disk: by the size of its own segments where there are some, by a guess otherwise, and
 * as if every other stream of the source were kept.
 *
 * @param pixels of one frame of the output
 */
export function spaceNeeded(
  framesTotal: number,
  pixels: number,
  sourceBytes: number,
  committed: readonly Pick<CommittedBatch, 'frameCount' | 'segmentBytes'>[],
): SpaceNeeded {
  const frames = committed.reduce((sum, batch) => sum + batch.frameCount, 0);
  const bytes = committed.reduce((sum, batch) => sum + batch.segmentBytes, 0);
  const perFrame = frames > 0 ? bytes / frames : pixels * BYTES_PER_PIXEL;
  const segments = Math.ceil((framesTotal - frames) * perFrame);
  return { segments, output: bytes + segments + sourceBytes };
}

/**
 * Makes a job wait that would fill the disk before it is done (R36).
 *
 * @throws ObstacleError DISK_FULL, which is tried again by itself and uses up no try
 */
export async function assertSpace(
  { job }: JobContext,
  folder: JobFolder,
  { index, formats, media, outputPath }: PlannedJob,
  committed: readonly CommittedBatch[],
): Promise<void> {
  const { width, height } = formats.output;
  const needed = spaceNeeded(index.pts.length, width * height, media.bytes, committed);
  const outputFolder = dirname(outputPath);
  makeFolder(outputFolder);
  const isOneDisk = (await stat(folder.path)).dev === (await stat(outputFolder)).dev;
  const wants: [string, number][] = isOneDisk
    ? [[outputFolder, needed.segments + needed.output]]
    : [
        [folder.path, needed.segments],
        [outputFolder, needed.output],
      ];
  for (const [path, bytes] of wants) {
    const { bavail, bsize } = await statfs(path);
    if (bavail * bsize >= bytes) continue;
    throw new ObstacleError(
      'DISK_FULL',
      `${basename(job.sourcePath)} needs about ${megabytes(bytes)} in ${path}, where ${megabytes(bavail * bsize)} are free.`,
    );
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
