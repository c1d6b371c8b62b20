import { resolve } from 'node:path';
import { modelFolders, type Home } from '../../config/home.ts';
import { namedEnhancer, type Recipe } from '../../domain/recipe.ts';
import { findModel } from './find-model.ts';
import { readKnownModels } from './known-models.ts';
import { modelPurposeOf } from './manifest.ts';

/**
 * The recipe with the absolute paths of its models, because the daemon has another working folder.
 *
 * @throws ModelError if a model is unknown, missing or unsuitable
 */
export async function withFoundModel(recipe: Recipe, home: Home): Promise<Recipe> {
  const { model } = recipe;
  if (model === 'lanczos') return recipe;
  const manifest = await readKnownModels();
  await findModel(model, modelFolders(home), manifest, modelPurposeOf(recipe));
  const enhancer = namedEnhancer(recipe);
  if (enhancer !== null) await findModel(enhancer, modelFolders(home), manifest, 'upscale');
  return {
    ...recipe,
    model: absolute(model),
    ...(enhancer === null ? {} : { enhance: absolute(enhancer) }),
  };
}

function absolute(model: string): string {
  return model.endsWith('.onnx') ? resolve(model) : model;
}
