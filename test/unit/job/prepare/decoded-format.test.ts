import { expect, test } from 'vitest';
import { SAFE_DEFAULTS } from '../../../../src/config/settings.ts';
import type { Chroma, MediaInfo } from '../../../../src/domain/media-info.ts';
import { frameBytes } from '../../../../src/domain/media-info.ts';
import type { Recipe } from '../../../../src/domain/recipe.ts';
import { chooseChroma, chooseDecodedTo } from '../../../../src/job/prepare/decoded-format.ts';
import { sourceOf } from '../../../helpers/upscale-source.ts';

const LANCZOS: Recipe = { pipeline: 'upscale', model: 'lanczos', scale: 2, device: 'auto', tile: 'auto' };

test.each<[string, Recipe, Pick<MediaInfo, 'video'>, Chroma, string | undefined]>([
  ['lanczos', LANCZOS, sourceOf(64, 48), '420', 'yuv420p'],
  ['more than 8 bits', LANCZOS, sourceOf(64, 48, 10), '420', 'yuv420p10le'],
  ['another chroma', LANCZOS, sourceOf(64, 48), '444', 'yuv444p'],
  ['a model', { ...LANCZOS, model: 'realesr-general-x4v3' }, sourceOf(64, 48), '420', undefined],
  ['the size of the source', { ...LANCZOS, scale: 1 }, sourceOf(64, 48), '420', undefined],
  ['an odd size, which becomes even', { ...LANCZOS, scale: 1 }, sourceOf(65, 48), '420', 'yuv420p'],
])('the decoder of a new job delivers frames ready to encode: %s', (_, recipe, source, chroma, expected) => {
  expect(chooseDecodedTo(recipe, source, chroma)).toBe(expected);
});

test('the chroma of the output is that of the source only where the settings say so', () => {
  const media = { video: { ...sourceOf(64, 48).video, pixelFormat: 'yuv444p' } };
  expect(chooseChroma(SAFE_DEFAULTS, media)).toBe('420');
  const encoder = { ...SAFE_DEFAULTS.encoder, chroma: 'source' } as const;
  expect(chooseChroma({ ...SAFE_DEFAULTS, encoder }, media)).toBe('444');
});

test.each([
  ['rgb24', 18],
  ['rgb48le', 36],
  ['yuv420p', 9],
  ['yuv420p10le', 18],
  ['yuv422p', 12],
  ['yuv422p10le', 24],
  ['yuv444p', 18],
  ['yuv444p10le', 36],
] as const)('a frame of 3x2 pixels of %s takes %i bytes', (pixelFormat, bytes) => {
  expect(frameBytes({ width: 3, height: 2, pixelFormat })).toBe(bytes);
});
