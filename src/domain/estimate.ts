import type { CommittedBatch } from './job.ts';
import type { Recipe } from './recipe.ts';
import type { MeasuredTime } from './speed.ts';
import type { VideoShape } from './video-shape.ts';

/** What a job has needed on this machine so far. */
export interface PastJob {
  readonly video: VideoShape;
  /** Frames with a checkpoint. */
  readonly frames: number;
  /** Time spent on these frames, without pauses. */
  readonly workMs: number;
  /** Bytes of the segments of these frames. */
  readonly segmentBytes: number;
}

/** What jobs with one recipe need per output pixel. */
export interface PastRate {
  readonly jobCount: number;
  readonly msPerPixel: number;
  readonly bytesPerPixel: number;
}

export interface Estimate {
  /** Time that the job takes; null if the frame count is unknown, or the speed of the model. */
  readonly seconds: number | null;
  /** Where `seconds` comes from: jobs with the same recipe, or the speed of this machine, as measured; null if it is null. */
  readonly basis: 'past-jobs' | 'measurement' | null;
  /** Disk space for segments and the finished file; null if the frame count is unknown. */
  readonly diskBytes: number | null;
  /** Memory for raw frames of the batches in flight. */
  readonly memoryBytes: number;
  /** Number of jobs with the same recipe on which the estimate is based; with 0, the size is a guess. */
  readonly jobCount: number;
}

/** Bytes per pixel of encoded video without history: roughly libx264 at CRF 18. */
const GUESSED_BYTES_PER_PIXEL = 0.05;

/** Still images that are compressed with loss, and have 8 bits. */
const LOSSY_STILLS: readonly unknown[] = ['jpeg', 'webp', 'avif'];

/**
 * Bytes that a still image takes at most in practice. An enlarged image is smooth, so a lossy format needs less than one
 * byte a pixel; only strong noise takes more, in JPEG up to two.
 *
 * @param codec of the image; undefined if unknown
 */
export function stillBytes(pixels: number, bitsPerComponent: number, codec: string | undefined): number {
  if (LOSSY_STILLS.includes(codec)) return Math.ceil(pixels);
  return Math.ceil(pixels * 3 * (bitsPerComponent > 8 ? 2 : 1));
}

/** Pixels of one output frame, before its width and height are rounded. */
export function outputPixels(recipe: Recipe, video: Pick<VideoShape, 'width' | 'height'>): number {
  if (recipe.pipeline === 'dual-face') return recipe.width * recipe.height;
  if (recipe.pipeline === 'lip-sync') return video.width * video.height;
  return video.width * video.height * recipe.scale ** 2;
}

/** Rate of past jobs with this recipe; null if none of them has a checkpoint. */
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
  /** Bytes in the job folder, in addition to existing segments. */
  readonly segments: number;
  /** Bytes in the output folder. */
  readonly output: number;
}

/**
 * Disk space that a job still needs, estimated from its own segments, else from other jobs with its recipe, else by a guess.
 * All other streams of the source are assumed to be kept.
 *
 * @param pixels pixels of one output frame
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
 * Estimates time and space for a job that has not started.
 *
 * @param measured the time by the speed of this machine, which counts until there are past jobs; null if not measured
 * @param memoryBytes memory for raw frames of the batches in flight
 */
export function estimateJob(
  recipe: Recipe,
  video: VideoShape,
  rate: PastRate | null,
  measured: MeasuredTime | null,
  memoryBytes: number,
): Estimate {
  const jobCount = rate?.jobCount ?? 0;
  const { frames } = video;
  if (frames === null) return { seconds: null, basis: null, diskBytes: null, memoryBytes, jobCount };
  const pixels = outputPixels(recipe, video);
  const { segments, output } =
    frames === 1
      ? { segments: 0, output: stillBytes(pixels, video.bitsPerComponent, video.codec) }
      : spaceNeeded(frames, pixels, video.bytes, [], rate);
  const needs = { diskBytes: segments + output, memoryBytes, jobCount };
  if (rate !== null) return { ...needs, ...inSeconds(frames * pixels * rate.msPerPixel), basis: 'past-jobs' };
  if (measured === null) return { ...needs, seconds: null, basis: null };
  return { ...needs, ...inSeconds(measured.startMs + frames * measured.frameMs), basis: 'measurement' };
}

function inSeconds(ms: number): { seconds: number } {
  return { seconds: Math.round(ms) / 1000 };
}
