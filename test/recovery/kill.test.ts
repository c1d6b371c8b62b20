import { expect, test } from 'vitest';
import {
  killDaemon,
  killDuringRecovery,
  killFfmpeg,
  killGroupAt,
  killGroupAtRandom,
  killGroupAndWipeRamDisk,
  stopAndContinue,
  killWorker,
  type Kill,
} from '../helpers/kills.ts';
import { runKills, shuffled, times } from '../helpers/run-kills.ts';

/*
 * The real daemon, a real model and real kills; `npm run test:soak` kills hundreds of times. The seed is printed, and
 * FRAMEKILN_TEST_SEED repeats a run.
 */
const seed = Number(process.env['FRAMEKILN_TEST_SEED'] ?? Date.now() % 1_000_000);

async function expectNoViolations(kills: readonly Kill[], frames: number): Promise<void> {
  const { violations, lines } = await runKills(kills, frames, seed);
  console.log(lines.join('\n'));
  expect(violations).toEqual([]);
}

test('after kills of the daemon and of its worker the frames are those of an undisturbed run', async () => {
  const kills = [
    killGroupAt('commit-batch.begun'),
    killGroupAtRandom,
    killWorker,
    killGroupAt('output.published'),
  ];
  await expectNoViolations(kills, 100);
});

test(
  'after kills of every kind the frames are those of an undisturbed run',
  { tags: ['slow'], timeout: 600_000 },
  async () => {
    const kills = shuffled(
      [
        ...times(5, killGroupAtRandom),
        ...times(2, killDuringRecovery),
        ...times(1, killGroupAndWipeRamDisk),
        ...times(1, killDaemon),
        ...times(1, killWorker),
        ...times(1, killFfmpeg),
        stopAndContinue('segment.before-rename'),
        ...(['segment.before-rename', 'segment.published', 'commit-batch.begun'] as const).map((at) =>
          killGroupAt(at),
        ),
      ],
      seed,
    );
    const late = (['output.before-rename', 'output.published'] as const).map((at) => killGroupAt(at));
    await expectNoViolations([...kills, ...late], 200);
  },
);
