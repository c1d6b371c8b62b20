import { z } from 'zod';
import { ConfigurationError } from '../domain/errors.ts';
import type { Recipe } from '../domain/recipe.ts';
import { describeIssue } from './describe-issue.ts';
import { PIPELINE_DEFAULTS, tierPresets } from './recipe-presets.ts';

const evenLength = z.int().min(64).max(8192).multipleOf(2);

/** What a person may say of a recipe; what they leave out comes from the defaults. */
export const PartialRecipe = z.strictObject({
  pipeline: z.enum(['upscale', 'dual-face']).optional(),
  /** A tier preset: basic, standard, premium, pro. Other keys change it. */
  preset: z.enum(['basic', 'standard', 'premium', 'pro']).optional(),
  model: z.string().min(1).optional(),
  scale: z.number().min(1).max(4).optional(),
  device: z.enum(['auto', 'gpu', 'cpu']).optional(),
  tile: z.union([z.literal('auto'), z.int().min(32).max(4096)]).optional(),
  width: evenLength.optional(),
  height: evenLength.optional(),
  layout: z.enum(['side-by-side', 'stacked']).optional(),
  detectEvery: z.int().min(1).max(30).optional(),
  missing: z.enum(['wide', 'black']).optional(),
});

export type PartialRecipe = z.infer<typeof PartialRecipe>;

/**
 * A recipe from untrusted data: a sidecar, the configuration, the command line.
 *
 * @param request any value; its missing keys are taken from `defaults`
 * @throws ConfigurationError with every fault found
 */
export function parseRecipe(request: unknown, defaults: Recipe): Recipe {
  const parsed = PartialRecipe.safeParse(request);
  const faults = parsed.success
    ? strangeKeys(parsed.data, defaults.pipeline)
    : parsed.error.issues.flatMap((issue) => describeIssue(issue, Object.keys(PartialRecipe.shape)));
  if (!parsed.success || faults.length > 0)
    throw new ConfigurationError(`The recipe cannot be used: ${faults.join('; ')}.`, faults);
  return completeRecipe(parsed.data, defaults);
}

/** A sentence for each key that the recipe's pipeline does not have. @param inherited pipeline where the request has none */
export function strangeKeys(request: PartialRecipe, inherited: Recipe['pipeline']): string[] {
  const pipeline = request.pipeline ?? inherited;
  const known = [...Object.keys(PIPELINE_DEFAULTS[pipeline]), ...(pipeline === 'upscale' ? ['preset'] : [])];
  return Object.entries(request)
    .filter(([key, value]) => value !== undefined && !known.includes(key))
    .map(([key]) => `${key} is not a key of the pipeline ${pipeline}`);
}

/**
 * A valid request over the defaults, a preset between them. A request for another pipeline than that of the defaults takes
 * nothing of them but the device.
 */
export function completeRecipe({ preset, ...request }: PartialRecipe, defaults: Recipe): Recipe {
  const { pipeline = defaults.pipeline } = request;
  const { device } = defaults;
  const base = pipeline === defaults.pipeline ? defaults : { ...PIPELINE_DEFAULTS[pipeline], device };
  const said = Object.entries(request).filter(([, value]) => value !== undefined);
  return { ...base, ...(preset === undefined ? {} : tierPresets[preset]), ...Object.fromEntries(said) };
}
