import { expect, test } from 'vitest';
import { PIPELINE_DEFAULTS } from '../../../src/config/recipe-presets.ts';
import { recipeText } from '../../../src/domain/recipe.ts';

test('the text of a recipe with the defaults of later keys is that of one from before there were these keys', () => {
  const { single, fill, gap, border, ...old } = PIPELINE_DEFAULTS['dual-face'];
  expect({ single, fill, gap, border }).toEqual({ single: 'full', fill: 'blur', gap: 0, border: 0 });
  expect(recipeText(PIPELINE_DEFAULTS['dual-face'])).toBe(recipeText(old));
  expect(recipeText({ ...old, single: 'own-side' })).toContain('"single":"own-side"');
});
