import type { CommittedBatch } from './job.ts';
import type { Recipe } from './recipe.ts';
import type { VideoShape } from './video-shape.ts';

/** What one job took on this machine, as far as it has come. */
export interface PastJob {
  readonly video: VideoShape;
  /** Frames with a checkpoint. */
  readonly frames: number;
  /** Time spent on them, pauses left out. */
  readonly workMs: number;
  /** Of their segments. */
  readonly segmentBytes: number;
}

/** What jobs of one recipe take for each pixel of their output; null where none has a checkpoint. */
export interface PastRate {
  readonly jobCount: number;
  readonly msPerPixel: number;
  readonly bytesPerPixel: number;
}

export interface Estimate {
  /** Null without history, and where nobody knows how many frames there are. */
  readonly seconds: number | null;
  /** At most, segments and finished file together; null where nobody knows how many frames there are. */
  readonly diskBytes: number | null;
  /** Of the raw frames of the batches in work. */
  readonly memoryBytes: number;
  /** Jobs with the same recipe that it was reckoned from; 0: the size is a guess, and the time is not known. */
  readonly jobCount: number;
}

/** Bytes a pixel of encoded video before anything is known of it: about what libx264 makes of film at CRF 18. */
const GUESSED_BYTES_PER_PIXEL = 0.05;

/** Pixels of one frame of the output, before its edges are rounded. */
export function outputPixels(recipe: Recipe, video: Pick<VideoShape, 'width' | 'height'>): number {
  if (recipe.pipeline === 'dual-face') return recipe.width * recipe.height;
  return video.width * video.height * recipe.scale ** 2;
}

/** @param past jobs with this recipe */
export function rateOf(recipe: Recipe, past: readonly PastJob[]): PastRate | null {
  const sum = (of: (job: PastJob) => number): number => past.reduce((total, job) => total + of(job), 0);
  const pixels = sum(({ frames, video }) => frames * outputPixels(recipe, video));
  if (pixels === 0) return null;
  return {
    jobCount: past.length,
    msPerPixel: sum(({ workMs }) => workMs) / pixels,
    bytesPerPixel: sum(({ segmentBytes }) => segmentBytes) / pixels,
  };
}

export interface SpaceNeeded {
  /** In the job's folder, beside the segments that are there. */
  readonly segments: number;
  /** In the output folder. */
  readonly output: number;
}

/**
 * What a job still needs on the disk: by the size of its own segments where there are some, else by that of other jobs
 * with its recipe, else by a guess; and as if every other stream of the source were kept.
 *
 * @param pixels of one frame of the output
 */
export function spaceNeeded(
  framesTotal: number,
  pixels: number,
  sourceBytes: number,
  committed: readonly Pick<CommittedBatch, 'frameCount' | 'segmentBytes'>[],
  rate: PastRate | null,
): SpaceNeeded {
  const frames = committed.reduce((sum, batch) => sum + batch.frameCount, 0);
  const bytes = committed.reduce((sum, batch) => sum + batch.segmentBytes, 0);
  const perFrame = frames > 0 ? bytes / frames : pixels * (rate?.bytesPerPixel ?? GUESSED_BYTES_PER_PIXEL);
  const segments = Math.ceil((framesTotal - frames) * perFrame);
  return { segments, output: bytes + segments + sourceBytes };
}

/**
 * What a job will take that has not begun.
 *
 * @param memoryBytes of the raw frames of the batches in work
 */
export function estimateJob(
  recipe: Recipe,
  video: VideoShape,
  rate: PastRate | null,
  memoryBytes: number,
): Estimate {
  const jobCount = rate?.jobCount ?? 0;
  if (video.frames === null) return { seconds: null, diskBytes: null, memoryBytes, jobCount };
  const pixels = outputPixels(recipe, video);
  const { segments, output } = spaceNeeded(video.frames, pixels, video.bytes, [], rate);
  const seconds = rate === null ? null : Math.round(video.frames * pixels * rate.msPerPixel) / 1000;
  return { seconds, diskBytes: segments + output, memoryBytes, jobCount };
}
