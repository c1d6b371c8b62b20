import type { Recipe, TargetSize } from './recipe.ts';

/** Lines of the short side of each target size. */
const TARGET_LINES: Readonly<Record<TargetSize, number>> = { '1080p': 1080, '1440p': 1440, '4k': 2160 };

/** The largest scale of a recipe; models give no more. */
const MAX_SCALE = 4;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Whether a source has the lines of the recipe's size already; never for a recipe with a scale. */
export function isLargeEnough(recipe: Recipe, { width, height }: Size): boolean {
  if (recipe.pipeline !== 'upscale' || recipe.size === undefined) return false;
  return Math.min(width, height) >= TARGET_LINES[recipe.size];
}

/**
 * The recipe of a job for a source: a size becomes the scale that gives it, at least 1 and at most 4. The short side of the
 * source gets the lines of the size, so that an upright video counts like a wide one.
 */
export function fitToSource(recipe: Recipe, { width, height }: Size): Recipe {
  if (recipe.pipeline !== 'upscale' || recipe.size === undefined) return recipe;
  const { size, ...rest } = recipe;
  const scale = TARGET_LINES[size] / Math.min(width, height);
  // Four decimals give every line of the largest source; more would only make the log hard to read.
  return { ...rest, scale: Math.min(MAX_SCALE, Math.max(1, Math.round(scale * 1e4) / 1e4)) };
}

/** What to say about a source that is not upscaled, as the rest of a sentence that begins with its name. */
export function describeLargeEnough(recipe: Recipe, { width, height }: Size): string {
  const size = recipe.pipeline === 'upscale' ? (recipe.size ?? '') : '';
  return `is ${width}x${height}, already at least the target size (${size}), so it is not upscaled (output.skipLarger)`;
}
