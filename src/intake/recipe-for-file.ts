import { basename, sep } from 'node:path';
import { folderPreset } from '../config/recipe-presets.ts';
import { parseSidecarRecipe } from '../config/corrections-schema.ts';
import { completeRecipe, parseRecipe, parseSequenceRecipe } from '../config/recipe-schema.ts';
import { codeOf, InputRejectedError, toError } from '../domain/errors.ts';
import type { Recipe } from '../domain/recipe.ts';
import { nameInInput, placeOf } from '../lib/byte-name.ts';
import { SIDECAR_SUFFIX, sidecarOf } from './candidate-file.ts';
import { MAX_SIDECAR_BYTES, parseYaml, readSidecar } from './sidecar.ts';

export interface RecipeRules {
  /** Absolute path of the input folder. */
  readonly inputDir: string;
  readonly defaultRecipe: Recipe;
  /** Recipes of folders, by folder name; they override the presets. */
  readonly folders: Readonly<Record<string, Recipe>>;
}

/** Length limit of a reason: enough to name several faults, and still one readable log line. */
const MAX_REASON_CHARACTERS = 500;

export interface FileRecipe {
  readonly recipe: Recipe;
  /** Why the sidecar was ignored, naming it; null if it was used or there is none. */
  readonly ignored: string | null;
}

/**
 * The recipe of a file: its sidecar `clip.mp4.recipe.yaml` overrides the folder below `input/` that contains it, and the
 * folder overrides the default. The sidecar of a folder of images also has the frame rate, and that of a split screen may
 * have corrections.
 *
 * @throws InputRejectedError BAD_RECIPE, naming the sidecar or the folder and every fault
 */
export async function recipeForFile(
  path: string,
  rules: RecipeRules,
  { isSequence = false }: { readonly isSequence?: boolean } = {},
): Promise<FileRecipe> {
  const folders = nameInInput(rules.inputDir, path).split(sep).slice(0, -1);
  const base = folderRecipe(folders, rules);
  const name = basename(path) + SIDECAR_SUFFIX;
  const sidecar = await readSidecar(sidecarOf(await placeOf(path)));
  if (sidecar === 'missing') return { recipe: base, ignored: null };
  if (sidecar === 'irregular')
    return { recipe: base, ignored: `the sidecar file ${name} is not a regular file and is ignored` };
  try {
    if (sidecar === 'large') throw new RangeError(`it is larger than ${MAX_SIDECAR_BYTES / 1024} kB`);
    const parse = isSequence ? parseSequenceRecipe : parseRecipe;
    const recipe = parseSidecarRecipe(parseYaml(sidecar) ?? {}, (request) => parse(request, base));
    return { recipe, ignored: null };
  } catch (error) {
    throw new InputRejectedError(
      'BAD_RECIPE',
      `The sidecar file ${name} cannot be used: ${briefly(error)}.`,
      {
        cause: error,
      },
    );
  }
}

/** The first line of a message, without the colon with which the YAML parser announces an excerpt of the file. */
function briefly(error: unknown): string {
  if (codeOf(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not valid UTF-8';
  const why = (toError(error).message.split('\n')[0] ?? '').replace(/[.:]$/, '');
  return why.length <= MAX_REASON_CHARACTERS ? why : `${why.slice(0, MAX_REASON_CHARACTERS)}…`;
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
