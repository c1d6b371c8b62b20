import { z } from 'zod';
import { ConfigurationError } from '../domain/errors.ts';
import type { Recipe } from '../domain/recipe.ts';
import { describeIssue } from './describe-issue.ts';
import { tierPresets } from './recipe-presets.ts';

/** What a person may say of a recipe; what they leave out comes from the defaults. */
export const RecipeWish = z.strictObject({
  pipeline: z.literal('upscale').optional(),
  /** A tier preset: basic, standard, premium, pro. Other keys change it. */
  preset: z.enum(['basic', 'standard', 'premium', 'pro']).optional(),
  network: z.string().min(1).optional(),
  scale: z.number().min(1).max(4).optional(),
  device: z.enum(['auto', 'gpu', 'cpu']).optional(),
  tile: z.union([z.literal('auto'), z.int().min(32).max(4096)]).optional(),
});

/** What is done with a file for which nobody said anything. */
export const DEFAULT_RECIPE: Recipe = {
  pipeline: 'upscale',
  network: 'realesr-general-x4v3',
  scale: 2,
  device: 'auto',
  tile: 'auto',
};

/**
 * A recipe from untrusted data: a sidecar, the configuration, the command line.
 *
 * @param wish any value; its missing keys are taken from `defaults`
 * @throws ConfigurationError with every fault found
 */
export function parseRecipe(wish: unknown, defaults: Recipe): Recipe {
  const parsed = RecipeWish.safeParse(wish);
  if (!parsed.success) {
    const faults = parsed.error.issues.flatMap((issue) =>
      describeIssue(issue, Object.keys(RecipeWish.shape)),
    );
    throw new ConfigurationError(`The recipe cannot be used: ${faults.join('; ')}.`, faults);
  }
  return applyWish(parsed.data, defaults);
}

/** A valid wish over the defaults, a preset between them. */
export function applyWish({ preset, ...wish }: z.infer<typeof RecipeWish>, defaults: Recipe): Recipe {
  const base = preset === undefined ? defaults : { ...defaults, ...tierPresets[preset] };
  const said = Object.entries(wish).filter(([, value]) => value !== undefined);
  return { ...base, ...Object.fromEntries(said) };
}
