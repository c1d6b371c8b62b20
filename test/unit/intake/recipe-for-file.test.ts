import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DEFAULT_RECIPE } from '../../../src/config/recipe-presets.ts';
import { recipeForFile } from '../../../src/intake/recipe-for-file.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

test.each([
  ['scale: [2', /^Flow sequence .* at line 1, column 10\.$/],
  [Buffer.from('scale: \xff', 'latin1'), /^it is not valid UTF-8\.$/],
  ['#'.repeat(65_537), /^it is larger than 64 kB\.$/],
  ['scale: 99', /^Invalid recipe: scale: .*[^.]\.$/],
])('a sidecar that cannot be used is rejected with one sentence', async (content, reason) => {
  const inputDir = temporaryFolder();
  const path = join(inputDir, 'clip.mp4');
  writeFileSync(`${path}.recipe.yaml`, content);
  const error = await recipeForFile(path, { inputDir, defaultRecipe: DEFAULT_RECIPE, folders: {} }).then(
    () => null,
    (caught: unknown) => caught as Error,
  );
  const [before, why = ''] = error?.message.split(' cannot be used: ') ?? [];
  expect(before).toBe('The sidecar file clip.mp4.recipe.yaml');
  expect(why).toMatch(reason);
});
