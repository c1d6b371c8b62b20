import { appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FAIL_POINTS, type FailPoint } from '../../src/lib/fail-point.ts';
import {
  killCommandAt,
  killDaemon,
  killDuringRecovery,
  killFfmpeg,
  killGroupAt,
  killGroupAtCommand,
  killGroupAtPause,
  killGroupAtRandom,
  killGroupAtSpill,
  killGroupAndWipeRamDisk,
  STOP_POINTS,
  stopAndContinue,
  killWorker,
  type Kill,
} from '../helpers/kills.ts';
import type { InterruptedJob } from '../helpers/interrupted-job.ts';
import { runKills, shuffled, times } from '../helpers/run-kills.ts';

/**
 * Hundreds of kills of the real program. FRAMEKILN_TEST_SEED repeats a run; FRAMEKILN_SOAK_SHARE (0 to 1) is the share
 * of the random kills that are carried out.
 */
const seed = Number(process.env['FRAMEKILN_TEST_SEED'] ?? Date.now() % 1_000_000);
const share = Number(process.env['FRAMEKILN_SOAK_SHARE'] ?? 1);
const FRAMES = 600;

async function expectNoViolations(
  kills: readonly Kill[],
  frames: number,
  prepare?: (job: InterruptedJob) => void,
): Promise<void> {
  const { violations, lines } = await runKills(kills, frames, seed, prepare);
  console.log(lines.join('\n'));
  expect(violations).toEqual([]);
}

test('kills of every kind at random instants', async () => {
  const kills = [
    ...times(200 * share, killGroupAtRandom),
    ...times(50 * share, killDuringRecovery),
    ...times(20 * share, killGroupAndWipeRamDisk),
    ...times(20 * share, killFfmpeg),
    ...times(20 * share, killWorker),
    ...times(20 * share, killDaemon),
    ...STOP_POINTS.map(stopAndContinue),
  ];
  await expectNoViolations(shuffled(kills, seed), FRAMES);
});

const elsewhere = `/dev/shm/framekiln-soak-${process.pid}`;
beforeAll(() => mkdirSync(elsewhere));
afterAll(() => rmSync(elsewhere, { recursive: true }));

/** Fail points at the end of a job are reached once for each clip, so clips are short. */
const LATE =
  /^(output|report|publish-job|finish-job|source|moved-source|job-folder\.(before-removal|removed)|ram-disk\.(before-removal|unmounted|removed))/;

test('kills at every fail point', async () => {
  const by = (pattern: RegExp): FailPoint[] => FAIL_POINTS.filter((name) => pattern.test(name));
  const special =
    /^(other-file|insert-command|handle-command|cancel-job|retry-job|pause-queue|fail-attempt|frames\.before-spill|source|moved-source|placeholder)/;
  const late = by(LATE).filter((name) => !special.test(name));
  const plain = FAIL_POINTS.filter((name) => !special.test(name) && !late.includes(name));
  await expectNoViolations(
    [
      ...plain.toSorted((a, b) => orderInJob(a) - orderInJob(b)).map((at) => killGroupAt(at)),
      ...by(/^fail-attempt/).map((at) => killGroupAt(at, ['segment.before-encoding'])),
      ...by(/^frames\.before-spill/).map((at) => killGroupAtSpill(at)),
      ...by(/^(other-file|insert-command)/).map(killCommandAt),
    ],
    FRAMES,
  );
  await expectNoViolations(
    [
      ...late.map((at) => killGroupAt(at)),
      ...by(/^(cancel-job|handle-command)/).map((at) => killGroupAtCommand(at, 'cancel')),
      ...by(/^retry-job/).map((at) => killGroupAtCommand(at, 'retry')),
      ...by(/^pause-queue/).map(killGroupAtPause),
    ],
    100,
  );
  // Sources are moved to another file system.
  await expectNoViolations(
    by(/^(source|moved-source)/).map((at) => killGroupAt(at)),
    60,
    moveSources,
  );
});

/** Order in which a job first reaches the fail points, so that one clip serves many of them. */
function orderInJob(name: FailPoint): number {
  const order = [
    'migration',
    'put-seen',
    'remove-seen',
    'enqueue',
    'sweep',
    'claim',
    'job-folder',
    'report-progress',
    'frame-index',
    'renew',
    'ram-disk',
  ];
  const at = order.findIndex((each) => name.startsWith(each));
  return at < 0 ? order.length : at;
}

function moveSources({ home }: InterruptedJob): void {
  appendFileSync(join(home, 'framekiln.yaml'), 'output: { source: move }\n');
  // One folder for each clip: a copy with the same content would look like an interrupted move.
  symlinkSync(mkdtempSync(join(elsewhere, 'finished-')), join(home, 'finished'));
}
