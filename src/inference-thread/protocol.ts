import type { BatchRange } from '../domain/frame-batch.ts';
import type { MediaInfo, YuvFormat } from '../domain/media-info.ts';
import type { Precision, WebGpuUse } from '../domain/job.ts';
import type { YuvConversion } from '../domain/yuv-conversion.ts';
import type { ModelFile } from '../domain/models.ts';
import type { Recipe } from '../domain/recipe.ts';
import type { Measurement } from '../observability/measurements.ts';
import type { StreamShare } from '../inference/stream-shares.ts';
import type { Speech } from '../pipelines/pipeline-needs.ts';
import type { AnalysedFrames, DirectedFrames, ReducedTile } from '../pipelines/frame-pipeline.ts';

/** Everything the inference thread needs to open the pipeline of one job. */
export interface PipelineSetup {
  readonly jobId: number;
  readonly recipe: Recipe;
  readonly source: MediaInfo;
  readonly model: ModelFile | null;
  readonly embedding: ModelFile | null;
  readonly enhancer?: ModelFile | null;
  /** The face detector of a lip-sync job, and its speech; absent for other jobs. */
  readonly detector?: ModelFile | null;
  readonly speech?: Speech | undefined;
  /** Format in which the decoder delivers frames of the final size; absent: RGB of the size of the source. */
  readonly decodedTo?: YuvFormat | undefined;
  /** How frames are converted before they are written. Absent: they are written as the pipeline gives them. */
  readonly toYuv?: YuvConversion | undefined;
  /** What shrinks frames from the scale of a model to a smaller one; absent: our own resampler. */
  readonly shrinksWith?: 'sharp' | undefined;
  /** Whether parts of a frame that have not changed get the result of the previous frame (only on the CPU); absent: no. */
  readonly reusesTiles?: boolean | undefined;
  /** Edge of a tile in source pixels; null: whole frames. */
  readonly tile: number | null;
  /** Edge of a tile on a GPU; absent: the same as on the CPU. */
  readonly gpuTile?: number | null | undefined;
  /** The same with another engine than our kernels; absent: `gpuTile`. */
  readonly otherGpuTile?: number | null | undefined;
  readonly threads: number;
  /** How exactly the native CPU engine computes; absent: that engine is not used. */
  readonly precision?: Precision | undefined;
  /** Whether WebGPU is used; `undecided`: if it is faster than the CPU. Absent: it is not. */
  readonly webGpu?: WebGpuUse | undefined;
  /** Share of the engine relative to other jobs; normally 1. */
  readonly weight: number;
  /** How models loaded from now on are shared between jobs. */
  readonly sharing: { readonly batch: number; readonly waitMs: number };
  /** A file that gets a line `JOB FRAME MILLISECONDS` for each frame a model really ran on; tests count with it. */
  readonly traceFile: string | null;
}

/** Transforms one batch from one frame file into another. */
export interface TransformRequest {
  readonly kind: 'transform';
  readonly batch: BatchRange;
  /** All raw frames of the batch. */
  readonly inputPath: string;
  /** Gets the transformed frames; its first `framesReady` frames are already there. */
  readonly outputPath: string;
  readonly framesReady: number;
  /** What the analysis of the video decided for the batch; null for pipelines without analysis. */
  readonly direction: Uint8Array | null;
}

/** Analyses one batch of a frame file. */
export interface AnalyseRequest {
  readonly kind: 'analyse';
  readonly batch: BatchRange;
  /** All raw frames of the batch. */
  readonly inputPath: string;
  /** State after the analysis of the previous batch; null for the first batch. */
  readonly stateBefore: Uint8Array | null;
}

/** Decides what all frames of the video show. */
export interface DirectRequest {
  readonly kind: 'direct';
  /** Of all frames, in order, in batches of any size. */
  readonly findings: readonly Uint8Array[];
  /** Number of frames of each batch of the job. */
  readonly batchFrames: readonly number[];
  /** Of the audio in each frame, in decibels; null: there is no audio, or it does not matter. */
  readonly loudness: Float32Array | null;
}

/** The next columns of the spectrogram of a speech that still arrives. Has no answer. */
export interface HearRequest {
  readonly kind: 'hear';
  readonly mel: Float32Array;
}

/** `stop`: stop at the next tile. `close`: stop, then close the pipeline and the port once the current run has returned. */
export type ToPort =
  TransformRequest | AnalyseRequest | DirectRequest | HearRequest | { readonly kind: 'stop' | 'close' };

export type FromPort =
  | { readonly kind: 'opened'; readonly summary: string; readonly usesWebGpu: boolean }
  /** A sentence for the log, such as why another engine takes over. */
  | { readonly kind: 'notice'; readonly text: string }
  /** A tile of a frame is ready, or a frame is analysed: the thread is alive, however long the rest takes. */
  | { readonly kind: 'alive' }
  /** This many frames of the current batch are ready. */
  | { readonly kind: 'progress'; readonly framesReady: number; readonly reducedTile: ReducedTile | null }
  | {
      readonly kind: 'transformed';
      readonly framesInferred: number;
      readonly framesReused: number;
    }
  | ({ readonly kind: 'analysed'; readonly framesInferred: number } & AnalysedFrames)
  | ({ readonly kind: 'directed' } & DirectedFrames)
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  /** Sent before `closed`: how much of a shared model this job used. */
  | { readonly kind: 'share'; readonly share: StreamShare }
  /** The last message of a port. */
  | { readonly kind: 'closed' };

/** A message to the thread: opens a port, or is addressed to one. */
export type ToThread =
  | { readonly port: number; readonly setup: PipelineSetup }
  | { readonly port: number; readonly message: ToPort };

/** A message of the thread: from one port, or what the thread has measured. */
export type FromThread =
  { readonly port: number; readonly message: FromPort } | { readonly measurement: Measurement };
