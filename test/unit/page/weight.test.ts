import { expect, test } from 'vitest';
import { readFiles } from '../../../src/page/static-files.ts';

test('the whole page, with the library for plots, is less than 150 kB on the wire', async () => {
  const files = await readFiles();
  const bytes = [...files.values()].reduce((sum, { zipped }) => sum + zipped.length, 0);
  expect(files.size).toBeGreaterThan(20);
  expect(bytes).toBeLessThan(150_000);
});
