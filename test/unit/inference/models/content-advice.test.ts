import { expect, test } from 'vitest';
import { contentAdvice } from '../../../../src/inference/models/content-advice.ts';
import { readKnownModels } from '../../../../src/inference/models/known-models.ts';

const GENERAL = 'realesr-general-x4v3';
const ANIME = 'realesr-animevideov3';

test.each([
  [
    'a drawn video with the usual model',
    { content: 'drawn', model: GENERAL },
    `looks drawn, and ${GENERAL} is made for any footage; ${ANIME} may suit it better; to install it: framekiln models pull ${ANIME}`,
  ],
  [
    'a drawn image',
    { content: 'drawn', model: GENERAL, isStill: true, installed: ['realesrgan-x4plus-anime'] },
    `looks drawn, and ${GENERAL} is made for any footage; realesrgan-x4plus-anime may suit it better`,
  ],
  [
    'a filmed video with a model for drawings',
    { content: 'filmed', model: 'realcugan-x2-conservative', installed: [GENERAL] },
    `looks filmed, and realcugan-x2-conservative is made for drawings; ${GENERAL} may suit it better`,
  ],
  ['a drawn video with a model for drawings', { content: 'drawn', model: ANIME }, null],
  ['a filmed video with the usual model', { content: 'filmed', model: GENERAL }, null],
  ['a video of which nothing is known', { content: null, model: GENERAL }, null],
  ['a file of the user', { content: 'drawn', model: '/models/mine.onnx' }, null],
  ['plain resampling', { content: 'drawn', model: 'lanczos' }, null],
] as const)('advice by content: %s', async (_, found, expected) => {
  const file = { isStill: false, installed: [], ...found };
  expect(contentAdvice(file, await readKnownModels())).toBe(expected);
});
