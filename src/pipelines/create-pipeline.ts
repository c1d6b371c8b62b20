import { ModelError } from '../domain/errors.ts';
import type { Recipe } from '../domain/recipe.ts';
import { DualFacePipeline } from './dual-face/dual-face-pipeline.ts';
import type { FramePipeline } from './frame-pipeline.ts';
import { LipSyncPipeline } from './lip-sync/lip-sync-pipeline.ts';
import type { PipelineNeeds } from './pipeline-needs.ts';
import { LanczosPipeline } from './upscale/lanczos-pipeline.ts';
import { ModelPipeline } from './upscale/model-pipeline.ts';

/** The pipeline of a recipe. Nothing is loaded before its `open`. */
export function createPipeline(recipe: Recipe, needs: PipelineNeeds): FramePipeline {
  if (recipe.pipeline === 'upscale' && recipe.model === 'lanczos')
    return new LanczosPipeline(recipe.scale, needs.decodedTo);
  const { model } = needs;
  if (model === null) throw new ModelError('MODEL_MISSING', `The model ${recipe.model} was not found.`);
  if (recipe.pipeline === 'lip-sync') return new LipSyncPipeline({ ...needs, model, recipe });
  return recipe.pipeline === 'upscale'
    ? new ModelPipeline({ ...needs, model, recipe })
    : new DualFacePipeline({ ...needs, model, recipe });
}
