import { expect, test } from 'vitest';
import { DEFAULT_RECIPE, PIPELINE_DEFAULTS } from '../../../src/config/recipe-presets.ts';
import { parseRecipe } from '../../../src/config/recipe-schema.ts';

test('the preset of upright split screens sets size and layout, and other keys override it', () => {
  const wanted = { ...PIPELINE_DEFAULTS['dual-face'], width: 1080, height: 1920, layout: 'stacked' };
  expect(parseRecipe({ pipeline: 'dual-face', preset: 'shorts' }, DEFAULT_RECIPE)).toEqual(wanted);
  expect(
    parseRecipe(
      { preset: 'shorts', layout: 'grid', width: 720, height: 1280 },
      PIPELINE_DEFAULTS['dual-face'],
    ),
  ).toEqual({ ...wanted, layout: 'grid', width: 720, height: 1280 });
});

test.each([
  [{ preset: 'shorts' }, 'the upscale pipeline has no preset shorts'],
  [{ pipeline: 'dual-face', preset: 'pro' }, 'the dual-face pipeline has no preset pro'],
] as const)('%j names a preset of the other pipeline', (request, fault) => {
  expect(() => parseRecipe(request, DEFAULT_RECIPE)).toThrow(fault);
});
