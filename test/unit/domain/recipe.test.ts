import { expect, test } from 'vitest';
import { PIPELINE_DEFAULTS } from '../../../src/config/recipe-presets.ts';
import { recipeText } from '../../../src/domain/recipe.ts';

test('the text of a recipe with `single: full` is that of one from before there was the key', () => {
  const { single, ...old } = PIPELINE_DEFAULTS['dual-face'];
  expect(single).toBe('full');
  expect(recipeText(PIPELINE_DEFAULTS['dual-face'])).toBe(recipeText(old));
  expect(recipeText({ ...old, single: 'own-side' })).toContain('"single":"own-side"');
});
