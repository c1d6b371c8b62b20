import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';
import type { JobPlan } from '../../src/domain/job.ts';
import type { FailPoint } from '../../src/lib/fail-point.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** A home whose lanczos job is killed at each of these points in turn, and then finished. */
async function finishAfterKills(
  points: readonly `${FailPoint} ${number}`[],
  between: (home: string) => void = () => undefined,
): Promise<{ home: string; frames: string[] }> {
  const home = makeHome(temporaryFolder());
  const armed = failPointFolder(join(home, 'points'));
  makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 50, audio: false });
  for (const point of points) {
    armed.arm(`${point} kill-group` as `${FailPoint} ${string}`);
    await start(['start', '--once', '--home', home], armed.environment).ended;
    expect(armed.hasFired(point.split(' ')[0] as FailPoint)).toBe(true);
    between(home);
  }
  expect(run(['start', '--once', '--home', home]).status).toBe(0);
  const frames = frameMd5(join(home, 'output/lanczos-2x/clip.mp4'));
  expect(frames).toHaveLength(50);
  return { home, frames };
}

function planOf(home: string, change?: (plan: JobPlan) => object): JobPlan {
  const db = new SqliteDatabase(join(home, '.framekiln/framekiln.db'), { timeout: 10_000 });
  try {
    const { plan } = db.prepare<[], { plan: string }>('SELECT plan FROM jobs').get() ?? { plan: '{}' };
    const parsed = JSON.parse(plan) as JobPlan;
    if (change !== undefined) db.prepare('UPDATE jobs SET plan = ?').run(JSON.stringify(change(parsed)));
    return parsed;
  } finally {
    db.close();
  }
}

/** Turns the stored plan into one of an older version, whose pipeline resizes frames. */
function makePlanOlder(home: string): void {
  planOf(home, (plan) => ({ ...plan, decodedTo: undefined }));
}

const PLANNED = 'ram-disk.before-set-up 1';
const IN_SECOND_BATCH = 'segment.before-encoding 2';

test('a lanczos job that is killed gives the frames of an undisturbed one', { tags: ['slow'] }, async () => {
  const killed = await finishAfterKills(['transformed-frame.written 15', IN_SECOND_BATCH]);
  expect(planOf(killed.home).decodedTo).toBe('yuv420p');
  expect(readLog(killed.home)).toMatch(/resampling .* by ffmpeg while decoding/);
  const undisturbed = await finishAfterKills([]);
  expect(killed.frames).toEqual(undisturbed.frames);
});

test(
  'a lanczos job that an older version began is finished the way it began',
  { tags: ['slow'], timeout: 120_000 },
  async () => {
    const older = await finishAfterKills([PLANNED], makePlanOlder);
    expect(planOf(older.home).decodedTo).toBeUndefined();
    expect(readLog(older.home)).not.toMatch(/by ffmpeg while decoding/);
    const killed = await finishAfterKills([PLANNED, IN_SECOND_BATCH], makePlanOlder);
    expect(killed.frames).toEqual(older.frames);
    const newer = await finishAfterKills([]);
    expect(newer.frames).not.toEqual(older.frames);
  },
);

test('frames that were left in another format are not used', { tags: ['slow'] }, async () => {
  const killed = await finishAfterKills(['segment.before-encoding 1'], makePlanOlder);
  const older = await finishAfterKills([PLANNED], makePlanOlder);
  expect(killed.frames).toEqual(older.frames);
});
