import type { BatchRange } from '../domain/frame-batch.ts';
import type { MediaInfo } from '../domain/media-info.ts';
import type { ModelFile } from '../domain/models.ts';
import type { Recipe } from '../domain/recipe.ts';
import type { StreamShare } from '../inference/shared-model.ts';

/** What a stream on the transform thread is made for. */
export interface TransformSetup {
  readonly jobId: number;
  readonly recipe: Recipe;
  readonly source: MediaInfo;
  readonly model: ModelFile | null;
  readonly embedding: ModelFile | null;
  /** Edge of a tile in source pixels; null: whole frames. */
  readonly tile: number | null;
  /** The same on a GPU; absent: as on the CPU. */
  readonly gpuTile?: number | null | undefined;
  readonly threads: number;
  /** Share of the engine among streams; 1 is usual. */
  readonly weight: number;
  /** How models are shared that are loaded from here on. */
  readonly sharing: { readonly batch: number; readonly waitMs: number };
  /** A file that gets a line `JOB FRAME MILLISECONDS` for each frame that a model really ran on; tests count with it. */
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

/** `stop`: break off at the next tile. `close`: also end the stream, when the run that it is in has returned. */
export type ToTransform = TransformOrder | { readonly kind: 'stop' | 'close' };

export type FromTransform =
  | { readonly kind: 'opened'; readonly summary: string }
  /** A sentence for the log, such as why another engine goes on. */
  | { readonly kind: 'notice'; readonly text: string }
  /** Memory was short, and a frame then passed in tiles of this edge. */
  | { readonly kind: 'smaller-tile'; readonly device: 'cpu' | 'gpu'; readonly tile: number }
  /** A tile of a frame is ready: the thread does not hang, however long the frame takes. */
  | { readonly kind: 'alive' }
  /** So many frames of the batch in work are ready. */
  | { readonly kind: 'progress'; readonly framesReady: number }
  | {
      readonly kind: 'transformed';
      readonly pipelineState: Uint8Array | null;
      readonly conclusion: string | null;
      readonly framesInferred: number;
    }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  /** At the end: what it had of a model. */
  | { readonly kind: 'share'; readonly share: StreamShare }
  /** The stream is gone; its last word. */
  | { readonly kind: 'closed' };

/** What the thread is told: to open a stream, or a message for one. */
export type ToTransformThread =
  | { readonly stream: number; readonly setup: TransformSetup }
  | { readonly stream: number; readonly message: ToTransform };

export interface FromTransformThread {
  readonly stream: number;
  readonly message: FromTransform;
}
