import { NetworkError } from '../domain/errors.ts';
import type { NetworkFile } from '../domain/networks.ts';
import type { Recipe } from '../domain/recipe.ts';
import type { Engine } from '../inference/engine.ts';
import { DualFacePipeline } from './dual-face/dual-face-pipeline.ts';
import type { FramePipeline } from './frame-pipeline.ts';
import { LanczosPipeline } from './upscale/lanczos-pipeline.ts';
import { NetworkPipeline } from './upscale/network-pipeline.ts';

export interface PipelineNeeds {
  /** null for `lanczos`. */
  readonly network: NetworkFile | null;
  /** The network that tells faces apart; null: without. */
  readonly embedding: NetworkFile | null;
  /** Edge of a tile in source pixels; null: whole frames. */
  readonly tile: number | null;
  readonly threads: number;
  /** In the order of preference; absent where nothing is opened. */
  readonly engines?: readonly Engine[];
  /** Called for each frame that a network really ran on. */
  readonly onInferred: (frameNumber: number) => void;
  /** Called with a sentence when an engine is given up in mid-job. */
  readonly onStepDown: (reason: string) => void;
}

/** The pipeline of a recipe. Nothing is loaded before its `open`. */
export function createPipeline(recipe: Recipe, needs: PipelineNeeds): FramePipeline {
  if (recipe.pipeline === 'upscale' && recipe.network === 'lanczos') return new LanczosPipeline(recipe.scale);
  const { network } = needs;
  if (network === null)
    throw new NetworkError('NETWORK_MISSING', `The network ${recipe.network} was not found.`);
  const engines = needs.engines ?? [];
  return recipe.pipeline === 'upscale'
    ? new NetworkPipeline({ ...needs, network, recipe, engines })
    : new DualFacePipeline({ ...needs, network, recipe, engines });
}
