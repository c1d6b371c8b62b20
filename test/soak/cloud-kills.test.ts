import { expect, test } from 'vitest';
import { runCloudKills } from '../helpers/cloud-kills.ts';

/** FRAMEKILN_TEST_SEED repeats a run; FRAMEKILN_SOAK_SHARE (0 to 1) is the share of the kills that are carried out. */
const seed = Number(process.env['FRAMEKILN_TEST_SEED'] ?? Date.now() % 1_000_000);
const share = Number(process.env['FRAMEKILN_SOAK_SHARE'] ?? 1);

test('workers of a queue that are killed 200 times lose no job, and do none twice', async () => {
  const { violations, lines } = await runCloudKills(Math.max(1, Math.round(200 * share)), seed);
  console.log(lines.join('\n'));
  expect(violations).toEqual([]);
});
