import type { Recipe } from './recipe.ts';

/** The argument of an `add` command: a file that somebody named, wherever it lies. */
export interface AddRequest {
  /** Absolute. */
  readonly path: string;
  readonly recipe: Recipe;
  readonly priority: number;
}
