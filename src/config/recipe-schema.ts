import { z } from 'zod';
import { ConfigurationError } from '../domain/errors.ts';
import { PANE_LAYOUTS, type Recipe } from '../domain/recipe.ts';
import { describeIssue } from './describe-issue.ts';
import { PIPELINE_DEFAULTS, PRESETS_OF, screenPresets, tierPresets } from './recipe-presets.ts';

/** At most a quarter of the smallest width, so that there is always room for the panes. */
const evenSpace = z.int().min(0).max(16).multipleOf(2);
const evenLength = z.int().min(64).max(8192).multipleOf(2);

/** Recipe keys that a user may set; missing keys come from the defaults. */
export const PartialRecipe = z.strictObject({
  pipeline: z
    .enum(['upscale', 'dual-face'])
    .optional()
    .meta({ description: 'default pipeline; the folder or the sidecar file of a video can set another one' }),
  preset: z.enum(['basic', 'standard', 'premium', 'pro', 'shorts']).optional().meta({
    description:
      'several keys in one word: basic is cpu 2x, standard cpu 4x, premium gpu 2x and pro gpu 4x; shorts is a portrait split screen of 1080x1920; other keys override the preset',
  }),
  model: z.string().min(1).optional().meta({
    description:
      'lanczos, a name from `framekiln models list` (a face detector for dual-face), or the path of an ONNX file',
  }),
  scale: z.number().min(1).max(4).optional().meta({ description: 'output size divided by input size' }),
  size: z.enum(['1080p', '1440p', '4k']).optional().meta({
    description:
      'size of the result instead of a scale: 1080, 1440 or 2160 lines, but at most 4 times the size of the source',
  }),
  device: z.enum(['auto', 'gpu', 'gpu-only', 'cpu']).optional().meta({
    description:
      'device for inference; auto uses a GPU if one works and the CPU otherwise; gpu does the same, but warns when it uses the CPU; gpu-only fails the job instead',
  }),
  tile: z
    .union([z.literal('auto'), z.int().min(32).max(4096)])
    .optional()
    .meta({ description: 'tile size in source pixels; auto uses the whole frame if memory allows' }),
  width: evenLength
    .optional()
    .meta({ description: 'width of the split screen in pixels, an even number; dual-face only' }),
  height: evenLength
    .optional()
    .meta({ description: 'height of the split screen in pixels, an even number; dual-face only' }),
  layout: z.enum(PANE_LAYOUTS).optional().meta({
    description:
      'layout of the split screen: side-by-side, stacked (the left person is at the top), grid with a pane for each of up to four people, or speaker with a single pane for who is speaking; dual-face only',
  }),
  detectEvery: z.int().min(1).max(30).optional().meta({
    description: 'detect faces only in every nth frame, and interpolate in between; dual-face only',
  }),
  single: z.enum(['full', 'own-side']).optional().meta({
    description:
      'how a person who is alone is shown: full for the whole image instead of the panes, or own-side for the pane of that person; dual-face only',
  }),
  missing: z.enum(['wide', 'black']).optional().meta({
    description:
      'what is shown when nobody is in view: wide for the whole image, or black; if only some panes are empty, wide fills them with a blurred copy of the image, and black leaves them black; dual-face only',
  }),
  fill: z.enum(['blur', 'crop', 'black']).optional().meta({
    description:
      'what fills the space around a whole image: blur for a blurred copy, or black; crop cuts the image instead; dual-face only',
  }),
  gap: evenSpace
    .optional()
    .meta({ description: 'pixels between the panes of a split screen, an even number; dual-face only' }),
  border: evenSpace
    .optional()
    .meta({ description: 'pixels around the panes of a split screen, an even number; dual-face only' }),
  enhance: z.string().min(1).optional().meta({
    description:
      'whether a model upscales what is enlarged by a factor of more than 1.5: off, a name from `framekiln models list`, the path of an ONNX file, or auto for realesr-general-x4v3 where it takes at most 4 times the length of the video; dual-face only',
  }),
});

export type PartialRecipe = z.infer<typeof PartialRecipe>;

/**
 * Parses a recipe from untrusted data: a sidecar file, the settings, the command line.
 *
 * @param request any value; missing keys are taken from `defaults`
 * @throws ConfigurationError with all faults
 */
export function parseRecipe(request: unknown, defaults: Recipe): Recipe {
  const parsed = PartialRecipe.safeParse(request);
  const faults = parsed.success
    ? unsupportedKeys(parsed.data, defaults.pipeline)
    : parsed.error.issues.flatMap((issue) => describeIssue(issue, Object.keys(PartialRecipe.shape)));
  if (!parsed.success || faults.length > 0)
    throw new ConfigurationError(`Invalid recipe: ${faults.join('; ')}.`, faults);
  return completeRecipe(parsed.data, defaults);
}

const NO_FRAME_RATE = 'a folder of images needs a frame rate, such as 25 or 30000/1001';
const FrameRate = z.union(
  [
    z.number().min(0.01, NO_FRAME_RATE).max(1000, NO_FRAME_RATE),
    z.string().regex(/^[1-9]\d{0,6}(\/[1-9]\d{0,6})?$/, NO_FRAME_RATE),
  ],
  { error: NO_FRAME_RATE },
);

/**
 * Parses the recipe of a folder of images, which also has the key `frameRate`.
 *
 * @throws ConfigurationError with all faults
 */
export function parseSequenceRecipe(request: unknown, defaults: Recipe): Recipe {
  const parsed = z.looseObject({ frameRate: FrameRate }).safeParse(request);
  if (!parsed.success) {
    const faults = parsed.error.issues.flatMap((issue) => describeIssue(issue, ['frameRate']));
    throw new ConfigurationError(`Invalid recipe: ${faults.join('; ')}.`, faults);
  }
  const { frameRate, ...others } = parsed.data;
  return { ...parseRecipe(others, defaults), frameRate };
}

/**
 * One sentence for each key that the pipeline of the recipe does not have.
 *
 * @param inherited pipeline to assume if the request names none
 */
export function unsupportedKeys(request: PartialRecipe, inherited: Recipe['pipeline']): string[] {
  const pipeline = request.pipeline ?? inherited;
  const known = [
    ...Object.keys(PIPELINE_DEFAULTS[pipeline]),
    ...(pipeline === 'upscale' ? ['preset', 'size'] : ['preset']),
  ];
  const unknown = Object.entries(request)
    .filter(([key, value]) => value !== undefined && !known.includes(key))
    .map(([key]) => `the ${pipeline} pipeline has no key ${key}`);
  const { preset } = request;
  if (preset !== undefined && !(preset in PRESETS_OF[pipeline]))
    unknown.push(`the ${pipeline} pipeline has no preset ${preset}`);
  const isAmbiguous = request.scale !== undefined && request.size !== undefined;
  return isAmbiguous ? [...unknown, 'scale and size exclude each other'] : unknown;
}

/**
 * Completes a recipe: keys of the request override its preset, which overrides the defaults. A request for another pipeline
 * than that of the defaults inherits the device only.
 */
export function completeRecipe({ preset, ...request }: PartialRecipe, defaults: Recipe): Recipe {
  const { pipeline = defaults.pipeline } = request;
  const { device } = defaults;
  const base = pipeline === defaults.pipeline ? defaults : { ...PIPELINE_DEFAULTS[pipeline], device };
  const given = Object.entries(request).filter(([, value]) => value !== undefined);
  const ofPreset = preset === undefined ? {} : { ...tierPresets, ...screenPresets }[preset];
  const complete = { ...base, ...ofPreset, ...Object.fromEntries(given) };
  // A scale, also that of a preset, replaces an inherited size.
  const hasScale = request.scale !== undefined || preset !== undefined;
  if (hasScale && request.size === undefined && 'size' in complete) delete complete.size;
  return complete;
}
