import type { DualFaceRecipe, Recipe, UpscaleRecipe } from '../domain/recipe.ts';

/** Presets, each of which sets a device and a scale. */
export const tierPresets: Readonly<
  Record<'basic' | 'standard' | 'premium' | 'pro', Pick<UpscaleRecipe, 'device' | 'scale'>>
> = {
  basic: { device: 'cpu', scale: 2 },
  standard: { device: 'cpu', scale: 4 },
  premium: { device: 'gpu', scale: 2 },
  pro: { device: 'gpu', scale: 4 },
};

/** Presets of split screens. */
export const screenPresets: Readonly<Record<'shorts', Pick<DualFaceRecipe, 'width' | 'height' | 'layout'>>> =
  { shorts: { width: 1080, height: 1920, layout: 'stacked' } };

/** Presets of each pipeline, by name. */
export const PRESETS_OF: Readonly<Record<Recipe['pipeline'], Readonly<Record<string, object>>>> = {
  upscale: tierPresets,
  'dual-face': screenPresets,
  'lip-sync': {},
};

/** Default recipe of each pipeline. */
export const PIPELINE_DEFAULTS: Readonly<{ [P in Recipe['pipeline']]: Extract<Recipe, { pipeline: P }> }> = {
  upscale: {
    pipeline: 'upscale',
    model: 'realesr-general-x4v3',
    scale: 2,
    device: 'auto',
    tile: 'auto',
  },
  'dual-face': {
    pipeline: 'dual-face',
    model: 'blazeface-full-range',
    device: 'auto',
    width: 1920,
    height: 1080,
    layout: 'side-by-side',
    detectEvery: 1,
    single: 'full',
    missing: 'wide',
    fill: 'blur',
    gap: 0,
    border: 0,
    enhance: 'auto',
  },
  'lip-sync': {
    pipeline: 'lip-sync',
    model: 'wav2lip',
    detector: 'blazeface-full-range',
    device: 'auto',
    face: 'largest',
    frameSkip: 1,
    interpolate: true,
    extend: 'loop',
    resolution: 'source',
    latency: 'normal',
  },
};

/** Recipe of a file for which no folder, sidecar file, setting or option sets anything. */
export const DEFAULT_RECIPE = PIPELINE_DEFAULTS.upscale;

/** Well-known folders in `input/`, each with a recipe of its own. */
export const PRESET_FOLDERS = [
  'upscale-2x',
  'upscale-3x',
  'upscale-4x',
  'lanczos-2x',
  'lanczos-3x',
  'lanczos-4x',
  'dual-face',
  'lip-sync',
] as const;

/**
 * Partial recipe of a folder in `input/` with a well-known name: `upscale-2x`, `upscale-3x`, `upscale-4x`, the same with
 * `lanczos`, `dual-face` and `lip-sync`; null for any other name.
 */
export function folderPreset(
  name: string,
): { pipeline: Recipe['pipeline']; model?: string; scale?: number } | null {
  if (name === 'dual-face' || name === 'lip-sync') return { pipeline: name };
  const match = /^(upscale|lanczos)-([234])x$/.exec(name);
  if (match === null) return null;
  const pipeline = 'upscale';
  const scale = Number(match[2]);
  return match[1] === 'lanczos' ? { pipeline, model: 'lanczos', scale } : { pipeline, scale };
}
