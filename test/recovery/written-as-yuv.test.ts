import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';
import type { JobPlan } from '../../src/domain/job.ts';
import { canConvertToYuv } from '../../src/inference/yuv-converter.ts';
import type { FailPoint } from '../../src/lib/fail-point.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** A home whose job is killed at a point, and then finished. */
async function finishAfterKill(
  point: `${FailPoint} ${number}` | null,
  between: (home: string) => void = () => undefined,
): Promise<{ home: string; frames: string[] }> {
  const home = makeHome(temporaryFolder());
  const armed = failPointFolder(join(home, 'points'));
  makeClip(join(home, 'input/clip.mp4'), { width: 32, height: 32, frames: 20, audio: false });
  if (point !== null) {
    armed.arm(`${point} kill-group` as `${FailPoint} ${string}`);
    await start(['start', '--once', '--home', home], armed.environment).ended;
    expect(armed.hasFired(point.split(' ')[0] as FailPoint)).toBe(true);
    between(home);
  }
  expect(run(['start', '--once', '--home', home]).status, readLog(home)).toBe(0);
  const frames = frameMd5(join(home, 'output/clip.mp4'));
  expect(frames).toHaveLength(20);
  return { home, frames };
}

/** The stored plan, which is an older version's, without the format of frames, if that is asked for. */
function planOf(home: string, { makeOlder = false } = {}): JobPlan {
  const db = new SqliteDatabase(join(home, '.framekiln/framekiln.db'), { timeout: 10_000 });
  try {
    if (makeOlder) db.exec(`UPDATE jobs SET plan = json_remove(plan, '$.writtenAs')`);
    const { plan } = db.prepare<[], { plan: string }>('SELECT plan FROM jobs').get() ?? { plan: '{}' };
    return JSON.parse(plan) as JobPlan;
  } finally {
    db.close();
  }
}

test(
  'a job that is killed writes frames as it began: as YUV, or as RGB if an older version began it',
  { tags: ['slow'], timeout: 180_000 },
  async ({ skip }) => {
    if (!canConvertToYuv()) skip('the CPU addon is not built (npm run setup needs g++)');
    const killed = await finishAfterKill('transformed-frame.written 15');
    expect(planOf(killed.home).writtenAs).toBe('yuv420p');
    const undisturbed = await finishAfterKill(null);
    expect(killed.frames).toEqual(undisturbed.frames);
    // Frames of YUV lie on its RAM disk, and must not pass for RGB.
    const older = await finishAfterKill('transformed-frame.written 15', (home) =>
      planOf(home, { makeOlder: true }),
    );
    expect(planOf(older.home)).not.toHaveProperty('writtenAs');
    // swscale rounds a few samples to the other side.
    expect(older.frames).not.toEqual(undisturbed.frames);
  },
);
