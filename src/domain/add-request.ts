import type { Recipe } from './recipe.ts';

/** Argument of an `add` command: a file in any folder, named by the user. */
export interface AddRequest {
  /** Absolute path. */
  readonly path: string;
  readonly recipe: Recipe;
  readonly priority: number;
  /** Absolute path of the folder for the finished file; absent: the output folder. */
  readonly outputFolder?: string;
}
