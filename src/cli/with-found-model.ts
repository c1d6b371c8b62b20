import { resolve } from 'node:path';
import { modelFolders, type Home } from '../config/home.ts';
import type { Recipe } from '../domain/recipe.ts';
import { findModel } from '../inference/models/find-model.ts';
import { readKnownModels } from '../inference/models/known-models.ts';
import { modelPurposeOf } from '../inference/models/manifest.ts';

/**
 * The recipe with the absolute path of its model, because the daemon has another working folder.
 *
 * @throws ModelError if the model is unknown, missing or unsuitable
 */
export async function withFoundModel(recipe: Recipe, home: Home): Promise<Recipe> {
  const { model } = recipe;
  if (model === 'lanczos') return recipe;
  await findModel(model, modelFolders(home), await readKnownModels(), modelPurposeOf(recipe));
  return model.endsWith('.onnx') ? { ...recipe, model: resolve(model) } : recipe;
}
