import { InputRejectedError, ModelError } from '../domain/errors.ts';
import type { Recipe } from '../domain/recipe.ts';
import { assertModelExists } from '../inference/models/find-model.ts';
import { readKnownModels } from '../inference/models/known-models.ts';
import { modelPurposeOf } from '../inference/models/manifest.ts';

/** Checks that the model of a recipe exists. @throws InputRejectedError BAD_RECIPE if it does not */
export async function checkRecipe(recipe: Recipe): Promise<void> {
  const { model } = recipe;
  if (model === 'lanczos') return;
  const manifest = await readKnownModels();
  try {
    await assertModelExists(model, manifest, modelPurposeOf(recipe));
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new InputRejectedError('BAD_RECIPE', error.message, { cause: error });
  }
}
