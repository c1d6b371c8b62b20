import { resolve } from 'node:path';
import type { Command } from 'commander';
import { parseRecipe } from '../config/recipe-schema.ts';
import type { Recipe } from '../domain/recipe.ts';
import { numberOrText } from './parse-arguments.ts';

export interface RecipeOptions {
  readonly pipeline?: string;
  readonly scale?: unknown;
  readonly size?: string;
  readonly model?: string;
  readonly device?: string;
  readonly tile?: unknown;
  readonly audio?: string;
}

/** The options that say what to do with a file. */
export function withRecipeOptions(command: Command): Command {
  return command
    .option('--pipeline <name>', 'upscale, dual-face for a split screen of two people, or lip-sync')
    .option('--scale <factor>', 'scale factor, 1 to 4', numberOrText)
    .option('--size <size>', 'size of the result instead of a scale: 1080p, 1440p or 4k')
    .option('--model <name>', 'lanczos, a name from framekiln models list, or an ONNX file')
    .option('--device <device>', 'auto, gpu, gpu-only or cpu')
    .option('--tile <pixels>', 'tile size in source pixels, or auto', numberOrText)
    .option(
      '--audio <file>',
      'speech of a lip-sync job (default: the audio file beside the video); run also takes - for standard input',
    );
}

/** The recipe that the options ask for, over `defaults`. @throws ConfigurationError with every fault */
export function recipeFromOptions(options: RecipeOptions, defaults: Recipe): Recipe {
  const { pipeline, scale, size, model, device, tile } = options;
  const audio = options.audio === undefined ? undefined : resolve(options.audio);
  const requests = Object.entries({ pipeline, scale, size, model, device, tile, audio }).filter(
    ([, value]) => value !== undefined,
  );
  return parseRecipe(Object.fromEntries(requests), defaults);
}
