import { expect, test } from 'vitest';
import { pauseAfterCheckMs } from '../../../src/daemon/source-watch.ts';

test('missing sources are looked for every two seconds, and less often where that takes long', () => {
  expect([0, 1, 20, 50, 200, 30_000].map(pauseAfterCheckMs)).toEqual([
    2_000, 2_000, 2_000, 5_000, 20_000, 20_000,
  ]);
});
