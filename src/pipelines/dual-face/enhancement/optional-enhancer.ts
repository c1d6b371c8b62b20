import { EngineError } from '../../../domain/errors.ts';
import type { DualFaceRecipe } from '../../../domain/recipe.ts';
import type { Sizes } from '../composition/pane.ts';
import type { ShownView } from '../composition/screen.ts';
import type { Frame, ReducedTile } from '../../frame-pipeline.ts';
import type { PipelineNeeds } from '../../pipeline-needs.ts';
import type { CloseUp } from './close-up.ts';
import { isEnhanced, type EnhancedPlaces } from './enhanced-places.ts';
import { Enhancer } from './enhancer.ts';

/** The enhancer of a job, loaded when it is needed: most videos whose close-ups are large enough do without. */
export class OptionalEnhancer {
  readonly #needs: PipelineNeeds;
  readonly #recipe: DualFaceRecipe;
  readonly #sizes: Sizes;
  #opening: Promise<Enhancer> | null = null;
  #enhancer: Enhancer | null = null;

  constructor(needs: PipelineNeeds, recipe: DualFaceRecipe, sizes: Sizes) {
    this.#needs = needs;
    this.#recipe = recipe;
    this.#sizes = sizes;
  }

  /** Whether the job may enhance anything. */
  get isWanted(): boolean {
    return (this.#needs.enhancer ?? null) !== null;
  }

  get reducedTile(): ReducedTile | null {
    return this.#enhancer?.reducedTile ?? null;
  }

  /** Loads the model on the first call. @throws EngineError if no engine can run it */
  open(): Promise<Enhancer> {
    this.#opening ??= this.#load();
    return this.#opening;
  }

  async #load(): Promise<Enhancer> {
    const { enhancer = null } = this.#needs;
    if (enhancer === null) throw new EngineError('ENGINE_UNAVAILABLE', 'The job has no model for close-ups.');
    this.#enhancer = await Enhancer.open(this.#needs, enhancer, this.#recipe.device, this.#sizes);
    return this.#enhancer;
  }

  /** The close-ups of a frame, by the number of the place that shows them. */
  async closeUps(
    { pixels }: Frame,
    shown: readonly ShownView[],
    places: EnhancedPlaces,
    signal: AbortSignal,
  ): Promise<Map<number, CloseUp>> {
    if (places === 0) return new Map();
    const enhancer = await this.open();
    const closeUps = shown
      .filter((each) => isEnhanced(places, each))
      .map(async (each) => [each.place, await enhancer.enhance(pixels, each, signal)] as const);
    return new Map(await allOrFirstError(closeUps));
  }

  /** Frees the memory of the model; may be called twice. */
  async close(): Promise<void> {
    const enhancer = this.#enhancer;
    this.#enhancer = this.#opening = null;
    await enhancer?.close();
  }
}

/** Waits for all, also if one fails: a model that is still running must not be disposed. */
async function allOrFirstError<T>(running: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(running);
  return Promise.all(running);
}
