import type { DualFaceRecipe } from '../../../domain/recipe.ts';

/** The keys of a recipe that hold for a shot, or for the part of it in a span of the sidecar file. */
export interface ShotRules extends Pick<DualFaceRecipe, 'layout' | 'single' | 'missing'> {
  /** Numbers of the people who may be shown, in the order of their panes; empty: everybody. */
  readonly people: readonly number[];
  readonly isCorrected: boolean;
}
