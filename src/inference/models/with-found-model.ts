import { resolve } from 'node:path';
import { modelFolders, type Home } from '../../config/home.ts';
import { ArgumentError, ModelError } from '../../domain/errors.ts';
import { namedEnhancer, type Recipe } from '../../domain/recipe.ts';
import { findModel } from './find-model.ts';
import { readKnownModels } from './known-models.ts';
import { modelPurposeOf, type ModelPurpose } from './manifest.ts';

/**
 * The recipe with the absolute paths of its models, because the daemon has another working folder.
 *
 * @throws ModelError if a model is unknown or not installed, ArgumentError if a file of the user is missing or unsuitable
 */
export async function withFoundModel(recipe: Recipe, home: Home): Promise<Recipe> {
  const { model } = recipe;
  if (model === 'lanczos') return recipe;
  const manifest = await readKnownModels();
  const find = (name: string, purpose: ModelPurpose): Promise<unknown> =>
    findModel(name, modelFolders(home), manifest, purpose).catch((error: unknown) => {
      // A known model can be installed; a file of the user is what the user says.
      if (!(error instanceof ModelError) || !name.endsWith('.onnx')) throw error;
      throw new ArgumentError(error.code, error.message, { cause: error });
    });
  await find(model, modelPurposeOf(recipe));
  const enhancer = namedEnhancer(recipe);
  if (enhancer !== null) await find(enhancer, 'upscale');
  return {
    ...recipe,
    ...(recipe.pipeline === 'lip-sync' ? { detector: absolute(recipe.detector) } : {}),
    model: absolute(model),
    ...(enhancer === null ? {} : { enhance: absolute(enhancer) }),
  };
}

function absolute(model: string): string {
  return model.endsWith('.onnx') ? resolve(model) : model;
}
