import type { UpscaleRecipe } from '../domain/recipe.ts';

/** The tiers of REQUIREMENTS A12. */
export const tierPresets: Readonly<
  Record<'basic' | 'standard' | 'premium' | 'pro', Pick<UpscaleRecipe, 'device' | 'scale'>>
> = {
  basic: { device: 'cpu', scale: 2 },
  standard: { device: 'cpu', scale: 4 },
  premium: { device: 'gpu', scale: 2 },
  pro: { device: 'gpu', scale: 4 },
};

/**
 * What the name of a folder below `input/` says without any configuration: `upscale-2x`, `upscale-3x`, `upscale-4x`
 * and the same with `lanczos`.
 *
 * @returns the part of the recipe that the name decides, or null for any other name
 */
export function folderPreset(name: string): Partial<UpscaleRecipe> | null {
  const match = /^(upscale|lanczos)-([234])x$/.exec(name);
  if (match === null) return null;
  const scale = Number(match[2]);
  return match[1] === 'lanczos' ? { network: 'lanczos', scale } : { scale };
}

/** Folder names that ask for what this version cannot do yet: their files are refused, not upscaled. */
export const FOLDERS_OF_LATER_VERSIONS: readonly string[] = ['dual-face'];
