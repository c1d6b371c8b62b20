import type { NetworkFile } from '../domain/networks.ts';
import type { Engine } from '../inference/engine.ts';

/** What a pipeline is made with, beside its recipe. */
export interface PipelineNeeds {
  /** null for `lanczos`. */
  readonly network: NetworkFile | null;
  /** The network that tells faces apart; null: without. */
  readonly embedding: NetworkFile | null;
  /** Edge of a tile in source pixels; null: whole frames. */
  readonly tile: number | null;
  /** The same on a GPU; absent: as on the CPU. */
  readonly gpuTile?: number | null | undefined;
  readonly threads: number;
  /** In the order of preference; absent where nothing is opened. */
  readonly engines?: readonly Engine[];
  /** Called for each frame that a network really ran on. */
  readonly onInferred: (frameNumber: number) => void;
  /** Called after each tile of a frame: a large network may take an hour for a frame. */
  readonly onTile?: () => void;
  /** Called with a sentence when an engine is given up in mid-job. */
  readonly onStepDown: (reason: string) => void;
  /** Called when memory was short and a frame then passed in tiles of this edge. */
  readonly onSmallerTile?: (device: Engine['device'], tile: number) => void;
}

/** The same for a pipeline that runs a network: there is one, and engines to run it. */
export interface NetworkPipelineNeeds extends PipelineNeeds {
  readonly network: NetworkFile;
  readonly engines: readonly Engine[];
}
