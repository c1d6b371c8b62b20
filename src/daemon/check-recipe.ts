import { InputRejectedError, ModelError } from '../domain/errors.ts';
import { namedEnhancer, type Recipe } from '../domain/recipe.ts';
import { assertModelExists } from '../inference/models/find-model.ts';
import { readKnownModels } from '../inference/models/known-models.ts';
import { modelPurposeOf } from '../inference/models/manifest.ts';

/** Checks that the models of a recipe exist. @throws InputRejectedError BAD_RECIPE if one does not */
export async function checkRecipe(recipe: Recipe): Promise<void> {
  const { model } = recipe;
  if (model === 'lanczos') return;
  const manifest = await readKnownModels();
  try {
    await assertModelExists(model, manifest, modelPurposeOf(recipe));
    const enhancer = namedEnhancer(recipe);
    if (enhancer !== null) await assertModelExists(enhancer, manifest, 'upscale');
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new InputRejectedError('BAD_RECIPE', error.message, { cause: error });
  }
}
