import { expect, test } from 'vitest';
import { PIPELINE_DEFAULTS } from '../../../src/config/recipe-presets.ts';
import { completeRecipe, parseRecipe } from '../../../src/config/recipe-schema.ts';
import type { TargetSize } from '../../../src/domain/recipe.ts';
import { fitToSource, isLargeEnough } from '../../../src/domain/target-size.ts';
import { upscaledFormats } from '../../../src/pipelines/upscale/upscaled-format.ts';
import { sourceOf } from '../../helpers/upscale-source.ts';

const DEFAULTS = PIPELINE_DEFAULTS.upscale;
const sized = (size: TargetSize) => ({ ...DEFAULTS, size });

test.for<[TargetSize, number, number, number, number]>([
  ['1080p', 720, 576, 1350, 1080],
  ['1080p', 854, 480, 1922, 1080],
  ['1080p', 576, 720, 1080, 1350],
  ['1440p', 1280, 720, 2560, 1440],
  ['4k', 1920, 1080, 3840, 2160],
  ['4k', 1998, 1080, 3996, 2160],
  ['1080p', 1440, 486, 3200, 1080],
  ['4k', 320, 240, 1280, 960],
  ['1080p', 3840, 2160, 3840, 2160],
])('%s of %dx%d is %dx%d', ([size, width, height, outWidth, outHeight]) => {
  const recipe = fitToSource(sized(size), { width, height });
  expect(recipe).not.toHaveProperty('size');
  const scale = recipe.pipeline === 'upscale' ? recipe.scale : NaN;
  expect(upscaledFormats(sourceOf(width, height), scale).output).toMatchObject({
    width: outWidth,
    height: outHeight,
  });
});

test('a source is large enough by the lines of its short side', () => {
  expect(isLargeEnough(sized('1080p'), { width: 1920, height: 1080 })).toBe(true);
  expect(isLargeEnough(sized('1080p'), { width: 1080, height: 1920 })).toBe(true);
  expect(isLargeEnough(sized('1080p'), { width: 1920, height: 1079 })).toBe(false);
  expect(isLargeEnough(DEFAULTS, { width: 8000, height: 8000 })).toBe(false);
});

test('a scale replaces an inherited size and a size an inherited scale; both at once are a fault', () => {
  expect(completeRecipe({ size: '4k' }, DEFAULTS)).toMatchObject({ size: '4k' });
  expect(completeRecipe({ scale: 3 }, sized('4k'))).toEqual({ ...DEFAULTS, scale: 3 });
  expect(completeRecipe({ preset: 'pro' }, sized('4k'))).toEqual({ ...DEFAULTS, device: 'gpu', scale: 4 });
  expect(completeRecipe({ model: 'lanczos' }, sized('4k'))).toMatchObject({ size: '4k', model: 'lanczos' });
  expect(() => parseRecipe({ size: '4k', scale: 2 }, DEFAULTS)).toThrow('scale and size exclude each other');
  expect(() => parseRecipe({ size: '8k' }, DEFAULTS)).toThrow('size');
});
