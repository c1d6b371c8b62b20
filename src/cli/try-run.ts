import { modelFolders } from '../config/home.ts';
import type { UpscaleRecipe } from '../domain/recipe.ts';
import { availableEngines } from '../inference/available-engines.ts';
import type { Engine } from '../inference/engine.ts';
import { readKnownModels } from '../inference/models/known-models.ts';
import { findModel } from '../inference/models/find-model.ts';
import { enlargeFrames, type Enlarged, type FramesToEnlarge } from '../trial/enlarge-frame.ts';
import type { OpenHome } from './open-home.ts';

/** Runs recipes on the same frames, one after the other, with the engines that jobs use. */
export class TryRun {
  readonly #place: OpenHome;
  readonly #engines: readonly Engine[] = availableEngines();

  constructor(place: OpenHome) {
    this.#place = place;
  }

  /** @param onFrame called with the number of frames that are done */
  async enlarge(
    recipe: UpscaleRecipe,
    frames: FramesToEnlarge,
    onFrame?: (done: number) => void,
  ): Promise<Enlarged> {
    const { home, settings } = this.#place;
    const model =
      recipe.model === 'lanczos'
        ? null
        : await findModel(recipe.model, modelFolders(home), await readKnownModels(), 'upscale');
    return enlargeFrames(frames, recipe, model, settings, this.#engines, home.precisionsFile, onFrame);
  }
}
