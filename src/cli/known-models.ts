import { join, resolve } from 'node:path';
import { programRoot, type Home } from '../config/home.ts';
import type { Recipe } from '../domain/recipe.ts';
import { findModel } from '../inference/models/find-model.ts';
import { modelPurposeOf, readManifest, type Manifest } from '../inference/models/manifest.ts';

/** Folders that are searched for models, in order: that of the home, then that of the program. */
export function modelFolders(home: Home): string[] {
  return [...new Set([home.models, join(programRoot, 'models')])];
}

/** The models that this version knows. */
export function readKnownModels(): Promise<Manifest> {
  return readManifest(join(programRoot, 'models', 'manifest.json'));
}

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
