import type { BatchRange } from '../domain/frame-batch.ts';
import type { JobPlan } from '../domain/job.ts';
import type { UpscaleRecipe } from '../domain/recipe.ts';

/** Where the models of a video run, on every machine. */
export type DeviceKind = 'cpu' | 'gpu';

/** What a worker must know to process any batch of a video. */
export interface VideoSetup {
  /** 32 hex digits: the same video, recipe and plan of the same job have the same key. */
  readonly key: string;
  readonly homeId: string;
  readonly jobId: number;
  /** File name of the source, for the log. */
  readonly name: string;
  /** Version of Framekiln on the coordinator. */
  readonly version: string;
  readonly device: DeviceKind;
  readonly recipe: UpscaleRecipe;
  readonly plan: JobPlan;
  readonly framesTotal: number;
  /** SHA-256 of the source as it is in the store, in hex. */
  readonly sourceSha256: string;
}

/** A batch that a worker has taken. The attempt fences its completion. */
export interface BatchTask {
  readonly id: string;
  readonly retryCount: number;
  readonly range: BatchRange;
}

/** A batch whose segment is in the store: decoded, counted and hashed by the worker. */
export interface FinishedBatch {
  readonly number: number;
  readonly frameCount: number;
  readonly segmentKey: string;
  readonly segmentSha256: string;
  readonly encoder: string;
  readonly elapsedMs: number;
  readonly framesReused: number | null;
  readonly worker: string;
}

/** What a worker tells about itself. */
export interface WorkerState {
  readonly name: string;
  readonly version: string;
  /** Why it does not take batches of a video, by the key of the video. */
  readonly refusals: Readonly<Record<string, string>>;
  /** What it works on; null: nothing. */
  readonly work: { readonly video: string; readonly batches: readonly number[] } | null;
}

/** Name of the queue with the batches of a video. */
export function queueOf(videoKey: string): string {
  return `video-${videoKey}`;
}

export function sourceKey(videoKey: string): string {
  return `videos/${videoKey}/source`;
}

export function indexKey(videoKey: string): string {
  return `videos/${videoKey}/frames.index`;
}

/** Key of a segment; the attempt keeps a late worker from replacing the segment of another one. */
export function segmentKey(videoKey: string, { id, retryCount, range }: BatchTask): string {
  return `videos/${videoKey}/segments/b${String(range.number).padStart(4, '0')}.${id}.${retryCount}.mp4`;
}
