import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KeptAnalysis, trim } from '../../../src/workspace/kept-analyses.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

test('findings are read back under the same key only', async () => {
  const home = { stateDir: temporaryFolder() };
  const kept = new KeptAnalysis(home, [1, 'abc']);
  expect(await kept.read()).toBeNull();
  await kept.write([Uint8Array.of(1, 2), Uint8Array.of(3)]);
  const found = await new KeptAnalysis(home, [1, 'abc']).read();
  expect(found?.map((each) => [...each])).toEqual([[1, 2], [3]]);
  expect(await new KeptAnalysis(home, [2, 'abc']).read()).toBeNull();
  await kept.remove();
  expect(await kept.read()).toBeNull();
});

test('those that were not used for longest are removed first, until the rest is small enough', async () => {
  const folder = temporaryFolder();
  for (const [i, name] of ['newest', 'newer', 'old', 'oldest'].entries()) {
    writeFileSync(join(folder, name), Buffer.alloc(100));
    utimesSync(join(folder, name), 1000 - i, 1000 - i);
  }
  await trim(folder, 250);
  expect(readdirSync(folder).sort()).toEqual(['newer', 'newest']);
});
