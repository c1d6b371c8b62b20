import { readFile } from 'node:fs/promises';
import { basename, relative, sep } from 'node:path';
import { parse } from 'yaml';
import { folderPreset } from '../config/recipe-presets.ts';
import { completeRecipe, parseRecipe } from '../config/recipe-schema.ts';
import { InputRejectedError, toError } from '../domain/errors.ts';
import type { Recipe } from '../domain/recipe.ts';
import { SIDECAR_SUFFIX } from './candidate-file.ts';
import { statOrNull } from './find-files.ts';

export interface RecipeRules {
  /** Absolute. */
  readonly inputDir: string;
  readonly defaultRecipe: Recipe;
  /** Recipes of folders, by name; they come before the presets. */
  readonly folders: Readonly<Record<string, Recipe>>;
}

/**
 * The recipe of a file: its sidecar `clip.mp4.recipe.yaml` overrides the folder below `input/` that contains it, and the
 * folder overrides the default.
 *
 * @throws InputRejectedError BAD_RECIPE, naming the sidecar or the folder and every fault
 */
export async function recipeForFile(path: string, rules: RecipeRules): Promise<Recipe> {
  const folders = relative(rules.inputDir, path).split(sep).slice(0, -1);
  const base = folderRecipe(folders, rules);
  const sidecar = path + SIDECAR_SUFFIX;
  // Reading a pipe would block, and a link may point anywhere.
  if ((await statOrNull(sidecar)) === null) return base;
  const text = await readFile(sidecar, 'utf8');
  try {
    return parseRecipe(parse(text) ?? {}, base);
  } catch (error) {
    const why = toError(error).message.split('\n')[0] ?? '';
    throw new InputRejectedError(
      'BAD_RECIPE',
      `The sidecar file ${basename(sidecar)} cannot be used: ${why}`,
      {
        cause: error,
      },
    );
  }
}

/** The recipe of the outermost folder that has one. */
function folderRecipe(names: readonly string[], { defaultRecipe, folders }: RecipeRules): Recipe {
  for (const name of names) {
    if (Object.hasOwn(folders, name)) return folders[name] ?? defaultRecipe;
    const preset = folderPreset(name);
    if (preset !== null) return completeRecipe(preset, defaultRecipe);
  }
  return defaultRecipe;
}
