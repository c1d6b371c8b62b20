import type { BatchRange } from '../domain/frame-batch.ts';
import type { MediaInfo } from '../domain/media-info.ts';
import type { NetworkFile } from '../domain/networks.ts';
import type { Recipe } from '../domain/recipe.ts';

/** What a transform thread is made for; its workerData. */
export interface TransformSetup {
  readonly jobId: number;
  readonly recipe: Recipe;
  readonly source: MediaInfo;
  readonly network: NetworkFile | null;
  readonly embedding: NetworkFile | null;
  /** Edge of a tile in source pixels; null: whole frames. */
  readonly tile: number | null;
  readonly threads: number;
  /** A file that gets a line `JOB FRAME MILLISECONDS` for each frame that a network really ran on; tests count with it. */
  readonly traceFile: string | null;
}

export interface TransformOrder {
  readonly kind: 'transform';
  readonly batch: BatchRange;
  /** Raw frames of the batch, all of them. */
  readonly inputPath: string;
  /** Gets the transformed frames; its first `framesReady` frames are there already. */
  readonly outputPath: string;
  readonly framesReady: number;
  /** After the batch before; null for the first one, and for pipelines without state. */
  readonly stateBefore: Uint8Array | null;
}

/** `stop`: break off at the next tile. `close`: also end the thread, when the run that it is in has returned. */
export type ToTransform = TransformOrder | { readonly kind: 'stop' | 'close' };

export type FromTransform =
  | { readonly kind: 'opened'; readonly summary: string }
  /** A sentence for the log, such as why another engine goes on. */
  | { readonly kind: 'notice'; readonly text: string }
  /** So many frames of the batch in work are ready. */
  | { readonly kind: 'progress'; readonly framesReady: number }
  | {
      readonly kind: 'transformed';
      readonly pipelineState: Uint8Array | null;
      readonly conclusion: string | null;
      readonly framesInferred: number;
    }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };
