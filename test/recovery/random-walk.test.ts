import { expect, test } from 'vitest';
import { runWalks } from '../helpers/random-walk/run-walks.ts';

/* A fixed seed, so that a failure is news. test/soak/random-walk.test.ts walks much further. */
test(
  'whatever people do with files, no video and no file of theirs is lost',
  { tags: ['slow'], timeout: 600_000 },
  async () => {
    const { lines, violations } = await runWalks({
      seed: Number(process.env['FRAMEKILN_TEST_SEED'] ?? 103),
      count: Number(process.env['FRAMEKILN_WALKS'] ?? 4),
      length: 24,
    });
    console.log(lines.join('\n'));
    expect(violations).toEqual([]);
  },
);
