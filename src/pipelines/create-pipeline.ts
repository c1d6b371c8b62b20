import { NetworkError } from '../domain/errors.ts';
import type { Recipe } from '../domain/recipe.ts';
import { DualFacePipeline } from './dual-face/dual-face-pipeline.ts';
import type { FramePipeline } from './frame-pipeline.ts';
import type { PipelineNeeds } from './pipeline-needs.ts';
import { LanczosPipeline } from './upscale/lanczos-pipeline.ts';
import { NetworkPipeline } from './upscale/network-pipeline.ts';

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
