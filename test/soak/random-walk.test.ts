import { expect, test } from 'vitest';
import { runWalks } from '../helpers/random-walk/run-walks.ts';

/*
 * The walks of test/recovery/random-walk.test.ts, with other seeds and for much longer. FRAMEKILN_WALK_SHRINK_MINUTES
 * looks for a shorter walk with a violation.
 */
const WALKS = Number(process.env['FRAMEKILN_WALKS'] ?? 200);
const STEPS = Number(process.env['FRAMEKILN_WALK_STEPS'] ?? 40);

test(`whatever people do with files in ${WALKS} walks, nothing of theirs is lost`, async () => {
  const { lines, violations } = await runWalks({
    seed: Number(process.env['FRAMEKILN_TEST_SEED'] ?? Date.now() % 1_000_000),
    count: WALKS,
    length: STEPS,
    shrinkMinutes: Number(process.env['FRAMEKILN_WALK_SHRINK_MINUTES'] ?? 0),
  });
  console.log(lines.join('\n'));
  expect(violations).toEqual([]);
});
