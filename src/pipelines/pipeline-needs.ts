import type { Precision, WebGpuUse } from '../domain/job.ts';
import type { YuvFormat } from '../domain/media-info.ts';
import type { ModelFile } from '../domain/models.ts';
import type { Engine } from '../inference/engine.ts';
import type { SourceCycle } from './lip-sync/source-cycle.ts';

/** What a person in a video is to say. */
export interface Speech {
  /** The mel spectrogram: 80 columns of 80 values a second, one after the other. Of a speech that still arrives, its beginning. */
  readonly mel: Float32Array;
  readonly cycle: SourceCycle;
  /** Faces that the model draws in one run. */
  readonly facesAtOnce: number;
  /** The faces of frames that an earlier job with the same video has searched; null if there are none. */
  readonly seenFrames: Uint8Array | null;
}

/** What a pipeline needs in addition to its recipe. */
export interface PipelineNeeds {
  /** null for `lanczos`. */
  readonly model: ModelFile | null;
  /** The face recognition model; null: faces are not compared. */
  readonly embedding: ModelFile | null;
  /** The model that upscales close-ups of a split screen; null or absent: they are only enlarged. */
  readonly enhancer?: ModelFile | null;
  /** The face detector of a lip-sync job, and its speech; absent for other jobs. */
  readonly detector?: ModelFile | null;
  readonly speech?: Speech | undefined;
  /** Format in which the decoder delivers frames of the final size; absent: RGB of the size of the source. */
  readonly decodedTo?: YuvFormat | undefined;
  /** What shrinks frames from the scale of a model to a smaller one; absent: our own resampler. */
  readonly shrinksWith?: 'sharp' | undefined;
  /** Edge of a tile in source pixels; null: whole frames. */
  readonly tile: number | null;
  /** Tile edge on a GPU; absent: the same as `tile`. */
  readonly gpuTile?: number | null | undefined;
  /** The same with another engine than our kernels; absent: `gpuTile`. */
  readonly otherGpuTile?: number | null | undefined;
  readonly threads: number;
  /** How exactly the native CPU engine computes; absent: that engine is not used. */
  readonly precision?: Precision | undefined;
  /** Whether WebGPU is used; `undecided`: if it is faster than the CPU. Absent: it is not. */
  readonly webGpu?: WebGpuUse | undefined;
  /** Whether parts of a frame that have not changed get the result of the previous frame (only on the CPU); absent: no. */
  readonly reusesTiles?: boolean | undefined;
  /** In the order of preference. */
  readonly engines: readonly Engine[];
  /** Called for each frame that a model was run on. */
  readonly onInferred: (frameNumber: number) => void;
  /** Called for each frame with the share of it, 0..1, whose result was that of the previous frame. */
  readonly onReused?: (share: number) => void;
  /** Called after each tile of a frame, because a large model may take an hour for a frame, and while a model is loaded. */
  readonly onTile?: () => void;
  /** Called with a sentence for the log when the job switches to another engine. */
  readonly onStepDown: (reason: string) => void;
}

/** What a pipeline that runs a model needs. */
export interface ModelPipelineNeeds extends PipelineNeeds {
  readonly model: ModelFile;
}
