import type { ModelFile } from '../domain/models.ts';
import type { Engine } from '../inference/engine.ts';

/** What a pipeline is made with, beside its recipe. */
export interface PipelineNeeds {
  /** null for `lanczos`. */
  readonly model: ModelFile | null;
  /** The model that tells faces apart; null: without. */
  readonly embedding: ModelFile | null;
  /** Edge of a tile in source pixels; null: whole frames. */
  readonly tile: number | null;
  /** The same on a GPU; absent: as on the CPU. */
  readonly gpuTile?: number | null | undefined;
  readonly threads: number;
  /** In the order of preference. */
  readonly engines: readonly Engine[];
  /** Called for each frame that a model really ran on. */
  readonly onInferred: (frameNumber: number) => void;
  /** Called after each tile of a frame: a large model may take an hour for a frame. */
  readonly onTile?: () => void;
  /** Called with a sentence when an engine is given up in mid-job. */
  readonly onStepDown: (reason: string) => void;
}

/** The same for a pipeline that runs a model. */
export interface ModelPipelineNeeds extends PipelineNeeds {
  readonly model: ModelFile;
}
