import { expect, test } from 'vitest';
import {
  daemonAlone,
  duringRecovery,
  ffmpegAlone,
  groupAt,
  groupAtRandom,
  ramDiskWiped,
  stopAndContinue,
  workerAlone,
} from '../helpers/kills.ts';
import { runKills, shuffled, times } from '../helpers/run-kills.ts';

/**
 * The kill standard's short form: the real daemon, a real model, real kills (the whole: `npm run test:soak`). The
 * seed is printed; a failure is repeated with FRAMEKILN_TEST_SEED.
 */
const seed = Number(process.env['FRAMEKILN_TEST_SEED'] ?? Date.now() % 1_000_000);

test('killed in all ways, the frames are those of an undisturbed run', async () => {
  const kills = shuffled(
    [
      ...times(5, groupAtRandom),
      ...times(2, duringRecovery),
      ...times(1, ramDiskWiped),
      ...times(1, daemonAlone),
      ...times(1, workerAlone),
      ...times(1, ffmpegAlone),
      stopAndContinue('segment.before-rename'),
      ...(['segment.before-rename', 'segment.published', 'commit-batch.begun'] as const).map((at) =>
        groupAt(at),
      ),
    ],
    seed,
  );
  const late = (['output.before-rename', 'output.published'] as const).map((at) => groupAt(at));
  const { violations, lines } = await runKills([...kills, ...late], 200, seed);
  console.log(lines.join('\n'));
  expect(violations).toEqual([]);
}, 600_000);
