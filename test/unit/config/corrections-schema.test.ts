import { expect, test } from 'vitest';
import { parseSidecarRecipe } from '../../../src/config/corrections-schema.ts';
import { PIPELINE_DEFAULTS } from '../../../src/config/recipe-presets.ts';
import { parseRecipe } from '../../../src/config/recipe-schema.ts';
import { ConfigurationError } from '../../../src/domain/errors.ts';
import { recipeText, type Recipe } from '../../../src/domain/recipe.ts';

const base = PIPELINE_DEFAULTS['dual-face'];
const parse = (request: unknown, defaults: Recipe = base): Recipe =>
  parseSidecarRecipe(request, (others) => parseRecipe(others, defaults));

test('corrections become part of the recipe, with the spans in order', () => {
  const crops = [{ x: -10, y: 0, width: 200, height: 300 }];
  const recipe = parse({
    gap: 4,
    people: [2, 1],
    spans: [
      { from: 50, to: 60, crops },
      { from: 0, to: 50, layout: 'whole' },
    ],
  });
  expect(recipe).toEqual({
    ...base,
    gap: 4,
    people: [2, 1],
    spans: [
      { from: 0, to: 50, layout: 'whole' },
      { from: 50, to: 60, crops },
    ],
  });
});

test('a sidecar without corrections gives the same recipe as before', () => {
  expect(recipeText(parse({ gap: 4 }))).toBe(recipeText(parseRecipe({ gap: 4 }, base)));
  expect(recipeText(parse({ spans: [] }))).toBe(recipeText(base));
});

test('a sidecar that is a list is rejected', () => {
  expect(() => parse([])).toThrow(ConfigurationError);
});

const crop = { x: 0, y: 0, width: 100, height: 100 };

test.each([
  [{ people: [1, 1] }, 'people: a person is named twice'],
  [{ people: [] }, 'people: '],
  [{ people: { left: 2 } }, 'people: '],
  [{ spans: [{ from: 20, to: 10, layout: 'grid' }] }, 'the span from 20 to 10 ends before it begins'],
  [
    { spans: [{ from: 10, to: 10, layout: 'grid' }] },
    'the span from 10 to 10 is empty: to is the first frame after the span',
  ],
  [{ spans: [{ from: 0, to: 10 }] }, 'the span from 0 to 10 changes nothing'],
  [
    { spans: [{ from: 0, to: 10, layout: 'whole', crops: [crop] }] },
    'the span from 0 to 10 has both crops and the layout whole',
  ],
  [{ spans: [{ from: 0, to: 10, layouts: 'grid' }] }, 'unknown key spans.0.layouts (did you mean layout?)'],
  [{ spans: [{ from: 0, to: 10, crops: [{ ...crop, w: 5 }] }] }, 'unknown key spans.0.crops.0.w'],
  [
    {
      spans: [
        { from: 5, to: 12, single: 'full' },
        { from: 0, to: 10, layout: 'grid' },
      ],
    },
    'the span from 0 to 10 and the span from 5 to 12 overlap',
  ],
])('%j is rejected with what is wrong', (request, fault) => {
  expect(() => parse(request)).toThrow(`Invalid corrections: ${fault}`);
});

test('only a split screen can be corrected', () => {
  expect(() => parse({ people: [1] }, PIPELINE_DEFAULTS.upscale)).toThrow(
    'the upscale pipeline has no key people',
  );
  expect(parse({ pipeline: 'dual-face', people: [1] }, PIPELINE_DEFAULTS.upscale)).toMatchObject({
    people: [1],
  });
});
