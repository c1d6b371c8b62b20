import { modelFolders } from '../config/home.ts';
import type { UpscaleRecipe } from '../domain/recipe.ts';
import { availableEngines } from '../inference/available-engines.ts';
import type { Engine } from '../inference/engine.ts';
import { readKnownModels } from '../inference/models/known-models.ts';
import { findModel } from '../inference/models/find-model.ts';
import { enlargeFrame, type Enlarged } from '../trial/enlarge-frame.ts';
import type { TakenFrame } from '../trial/take-frame.ts';
import type { OpenHome } from './open-home.ts';

/** Runs recipes on one frame, one after the other, with the engines that jobs use. */
export class TryRun {
  readonly #place: OpenHome;
  readonly #frame: TakenFrame;
  readonly #engines: readonly Engine[] = availableEngines();

  constructor(place: OpenHome, frame: TakenFrame) {
    this.#place = place;
    this.#frame = frame;
  }

  async enlarge(recipe: UpscaleRecipe): Promise<Enlarged> {
    const { home, settings } = this.#place;
    const model =
      recipe.model === 'lanczos'
        ? null
        : await findModel(recipe.model, modelFolders(home), await readKnownModels(), 'upscale');
    return enlargeFrame(this.#frame, recipe, model, settings, this.#engines, home.precisionsFile);
  }
}
