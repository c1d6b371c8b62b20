import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/queue/database.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { filesBelow, makeHome, processesOf, run, start, tracedFrames } from '../helpers/framekiln.ts';
import { seededRandom } from '../../src/lib/seeded-random.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/**
 * The kill standard's short form: the real daemon, a real network, real kills. Each run prints its seed; a failure is
 * repeated with FRAMEKILN_TEST_SEED.
 */
const FRAMES = 200;
const BATCH = 20;
const seed = Number(process.env['FRAMEKILN_TEST_SEED'] ?? Date.now() % 1_000_000);
const clipIn = (home: string) =>
  makeClip(join(home, 'input/clip.mp4'), { frames: FRAMES, filter: "setpts='(N*40+mod(N\\,3)*7)/1000/TB'" });

let frames: string[] | undefined;

/** The frames of a run that nobody disturbs, made once. */
function undisturbed(): string[] {
  if (frames !== undefined) return frames;
  const home = makeHome(temporaryFolder());
  clipIn(home);
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  frames = frameMd5(join(home, 'output/clip.mp4'));
  expect(frames).toHaveLength(FRAMES);
  return frames;
}

interface Kill {
  readonly name: string;
  readonly kills: number;
  readonly between?: (home: string) => void;
}

/** The RAM disk's contents are gone, as after a reboot. */
function wipeRamDisk(home: string): void {
  for (const kind of ['ram', 'frames']) {
    const folder = join(home, '.framekiln', kind);
    if (!existsSync(folder)) continue;
    for (const job of readdirSync(folder)) {
      for (const file of readdirSync(join(folder, job))) rmSync(join(folder, job, file));
    }
  }
}

test.each<Kill>([
  { name: 'everything at once, ten times', kills: 10 },
  { name: 'with the RAM disk wiped each time', kills: 4, between: wipeRamDisk },
])('killed: $name: the frames are those of an undisturbed run', async ({ kills, between }) => {
  const random = seededRandom(seed + kills);
  console.log(`seed ${seed}`);
  const home = makeHome(temporaryFolder());
  const trace = join(home, 'trace.log');
  clipIn(home);
  const args = ['start', '--once', '--home', home];
  for (let kill = 0; kill < kills; kill++) {
    const running = start(args, { FRAMEKILN_TRACE: trace });
    // Somewhere between the first breath and the last: a whole run takes about six seconds.
    await Promise.race([running.ended, new Promise((resolve) => setTimeout(resolve, 300 + random() * 1700))]);
    await running.killGroup();
    checkInvariants(home);
    between?.(home);
  }
  expect(run(args, { FRAMEKILN_TRACE: trace }).status).toBe(0);
  checkInvariants(home);
  expect(frameMd5(join(home, 'output/clip.mp4'))).toEqual(undisturbed());
  const inferred = tracedFrames(trace);
  console.log(`${kills} kills: ${inferred.length} frames inferred for ${FRAMES} frames`);
  expect(new Set(inferred).size).toBeGreaterThan(FRAMES / 2); // Equal neighbours are not inferred.
  expect(inferred.length).toBeLessThanOrEqual(FRAMES + kills * BATCH);
  expect(leftovers(home)).toEqual([]);
  await expect.poll(() => processesOf(home), { timeout: 10_000 }).toEqual([]);
});

/** I1, I2, I5 of the kill standard, after every kill. */
function checkInvariants(home: string): void {
  const database = join(home, '.framekiln/framekiln.db');
  if (!existsSync(database)) return;
  const db = openDatabase(database);
  try {
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    const rows = db
      .prepare('SELECT job_id AS job, segment_name AS name, segment_bytes AS bytes FROM batches')
      .all();
    const done = db.prepare(`SELECT count(*) AS n FROM jobs WHERE state = 'done'`).get() as { n: number };
    for (const row of rows as { job: number; name: string; bytes: number }[]) {
      const path = join(home, '.framekiln/jobs', String(row.job), 'segments', row.name);
      if (done.n === 0) expect(readFileSync(path).length).toBe(row.bytes);
    }
  } finally {
    db.close();
  }
  const output = join(home, 'output/clip.mp4');
  if (existsSync(output)) expect(frameMd5(output)).toEqual(undisturbed());
}

/** Temporary files, job folders, RAM disks. */
function leftovers(home: string): string[] {
  const state = join(home, '.framekiln');
  const kept = /^(framekiln\.db(-wal|-shm)?|daemon\.lock(-journal|-wal|-shm)?|reports\/1\.json)$/;
  return [
    ...filesBelow(state).filter((path) => !kept.test(path)),
    ...readdirSync(join(home, 'output')).filter((name) => name !== 'clip.mp4'),
    ...readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(home)),
  ];
}
