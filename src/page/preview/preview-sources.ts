import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IdentifiedHome } from '../../config/home.ts';
import type { Settings } from '../../config/settings.ts';
import { imagesIn } from '../../domain/fingerprint.ts';
import type { CommittedBatch, Job } from '../../domain/job.ts';
import { isOfSequence } from '../../domain/recipe.ts';
import { decodeFrameIndex } from '../../media/index/frame-index-file.ts';
import type { PreviewRequest } from '../../media/preview/preview-frame.ts';
import { probeMedia } from '../../media/probe/probe-media.ts';
import { JobFolder } from '../../workspace/job-folder.ts';
import { HttpError } from '../http-error.ts';

/** Which of the two images of a comparison. */
export type Side = 'before' | 'after';

type Place = Pick<PreviewRequest, 'path' | 'atSeconds' | 'isTimestamp'>;

/** Where the first frame of a batch is: in its segment, or in the source, whose timestamps the frame index knows. */
export async function placeInBatch(
  home: IdentifiedHome,
  job: Job,
  batch: Pick<CommittedBatch, 'segmentName' | 'firstFrame'>,
  side: Side,
): Promise<Place> {
  const folder = new JobFolder(home, job.id);
  if (side === 'after')
    return { path: folder.segmentPath(batch.segmentName), atSeconds: null, isTimestamp: false };
  const index = decodeFrameIndex(await readFile(folder.indexFile));
  const at = index?.pts[batch.firstFrame];
  if (index === null || at === undefined) throw noPreview();
  // Halfway from the frame before, so that rounding cannot skip the frame.
  const previous = index.pts[batch.firstFrame - 1] ?? at;
  const { num, den } = index.timeBase;
  const atSeconds = batch.firstFrame === 0 ? null : (((at + previous) / 2) * num) / den;
  const path = isOfSequence(job.recipe) ? folder.packedPath : job.sourcePath;
  return { path, atSeconds, isTimestamp: true };
}

/** Where a moment is in the source or the output of a finished job. @param moment 0 to 1, as a share of the duration */
export async function placeInFile(
  job: Job,
  limits: Settings['limits'],
  { side, moment, signal }: { readonly side: Side; readonly moment: number; readonly signal: AbortSignal },
): Promise<Place> {
  if (side === 'before' && isOfSequence(job.recipe)) {
    const names = await imagesIn(job.sourcePath);
    const name = names[Math.min(names.length - 1, Math.floor(names.length * moment))] ?? '';
    return { path: join(job.sourcePath, name), atSeconds: null, isTimestamp: false };
  }
  const path = side === 'before' ? job.sourcePath : job.outputPath;
  // The duration of the output counts for both, so that both show the same moment.
  const { video, durationSeconds } = await probeMedia(
    job.outputPath,
    { ...limits, inputMegapixels: Infinity },
    signal,
  );
  const seconds = video.isStill ? null : (durationSeconds ?? 0) * moment;
  return { path, atSeconds: seconds, isTimestamp: false };
}

export function noPreview(): HttpError {
  return new HttpError(404, 'NO_PREVIEW', 'This job has no frame to show.');
}
