import { appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FAIL_POINTS, type FailPoint } from '../../src/lib/fail-point.ts';
import {
  commandLineAt,
  daemonAlone,
  duringRecovery,
  ffmpegAlone,
  groupAt,
  groupAtCommand,
  groupAtPause,
  groupAtRandom,
  groupAtSpill,
  ramDiskWiped,
  STOP_POINTS,
  stopAndContinue,
  workerAlone,
  type Kill,
} from '../helpers/kills.ts';
import type { Life } from '../helpers/kill-standard.ts';
import { runKills, shuffled, times } from '../helpers/run-kills.ts';

/**
 * The kill standard of RELIABILITY, whole. FRAMEKILN_TEST_SEED repeats a run; FRAMEKILN_SOAK_SHARE (0 to 1) takes a
 * part of the random kills.
 */
const seed = Number(process.env['FRAMEKILN_TEST_SEED'] ?? Date.now() % 1_000_000);
const share = Number(process.env['FRAMEKILN_SOAK_SHARE'] ?? 1);
const FRAMES = 600;

async function hold(kills: readonly Kill[], frames: number, prepare?: (life: Life) => void): Promise<void> {
  const { violations, lines } = await runKills(kills, frames, seed, prepare);
  console.log(lines.join('\n'));
  expect(violations).toEqual([]);
}

test('random instants, in all ways', async () => {
  const kills = [
    ...times(200 * share, groupAtRandom),
    ...times(50 * share, duringRecovery),
    ...times(20 * share, ramDiskWiped),
    ...times(20 * share, ffmpegAlone),
    ...times(20 * share, workerAlone),
    ...times(20 * share, daemonAlone),
    ...STOP_POINTS.map(stopAndContinue),
  ];
  await hold(shuffled(kills, seed), FRAMES);
});

const elsewhere = `/dev/shm/framekiln-soak-${process.pid}`;
beforeAll(() => mkdirSync(elsewhere));
afterAll(() => rmSync(elsewhere, { recursive: true }));

/** Points of the end of a job are passed once a clip: short clips. */
const LATE =
  /^(output|report|publish-job|finish-job|source|moved-source|job-folder\.(before-removal|removed)|ram-disk\.(before-removal|unmounted|removed))/;

test('every fail point', async () => {
  const by = (pattern: RegExp): FailPoint[] => FAIL_POINTS.filter((name) => pattern.test(name));
  const special =
    /^(other-file|insert-command|handle-command|cancel-job|retry-job|pause-queue|fail-attempt|frames\.before-spill|source|moved-source)/;
  const late = by(LATE).filter((name) => !special.test(name));
  const plain = FAIL_POINTS.filter((name) => !special.test(name) && !late.includes(name));
  await hold(
    [
      ...plain.toSorted((a, b) => inLife(a) - inLife(b)).map((at) => groupAt(at)),
      ...by(/^fail-attempt/).map((at) => groupAt(at, ['segment.before-encoding'])),
      ...by(/^frames\.before-spill/).map((at) => groupAtSpill(at)),
      ...by(/^(other-file|insert-command)/).map(commandLineAt),
    ],
    FRAMES,
  );
  await hold(
    [
      ...late.map((at) => groupAt(at)),
      ...by(/^(cancel-job|handle-command)/).map((at) => groupAtCommand(at, 'cancel')),
      ...by(/^retry-job/).map((at) => groupAtCommand(at, 'retry')),
      ...by(/^pause-queue/).map(groupAtPause),
    ],
    100,
  );
  // Sources that are moved to another file system.
  await hold(
    by(/^(source|moved-source)/).map((at) => groupAt(at)),
    60,
    moveSources,
  );
});

/** Where in a job's life a point is passed for the first time, so that one clip serves many. */
function inLife(name: FailPoint): number {
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

function moveSources({ home }: Life): void {
  appendFileSync(join(home, 'framekiln.yaml'), 'output: { source: move }\n');
  // Its own for each clip: a copy of the same content would be taken for a move that was broken off.
  symlinkSync(mkdtempSync(join(elsewhere, 'finished-')), join(home, 'finished'));
}
