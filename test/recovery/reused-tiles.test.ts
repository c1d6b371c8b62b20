import { join } from 'node:path';
import { expect, test } from 'vitest';
import { homeAt } from '../../src/config/home.ts';
import type { FailPoint } from '../../src/lib/fail-point.ts';
import { readReport } from '../../src/reports/media-report.ts';
import { frameMd5, makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** Upscales a moving image beside a black area, in batches of 10 and 20 frames, and is killed at these points in turn. */
async function upscale(
  ...points: readonly `${FailPoint} ${number}`[]
): Promise<{ home: string; frames: string[] }> {
  const home = makeHome(temporaryFolder());
  const armed = failPointFolder(join(home, 'points'));
  const clip = { width: 48, height: 48, frames: 30, audio: false, filter: 'pad=160:48' };
  makeClip(join(home, 'input/clip.mp4'), clip);
  for (const point of points) {
    armed.arm(`${point} kill-group`);
    await start(['start', '--once', '--home', home], armed.environment).ended;
  }
  expect(run(['start', '--once', '--home', home]).status, readLog(home)).toBe(0);
  const frames = frameMd5(join(home, 'output/clip.mp4'));
  expect(frames).toHaveLength(30);
  return { home, frames };
}

async function framesReused(home: string): Promise<number> {
  const report = await readReport(homeAt(home), 1);
  return report === null || report === 'torn' ? NaN : (report.framesReused ?? NaN);
}

test(
  'a job that reuses unchanged parts gives the same frames after kills, and reports what it reused',
  { tags: ['slow'], timeout: 120_000 },
  async () => {
    const undisturbed = await upscale();
    const killed = await upscale('transformed-frame.written 4', 'transformed-frame.written 15');
    expect(killed.frames).toEqual(undisturbed.frames);
    // Nearly the right half of each frame but the first of a batch.
    const all = await framesReused(undisturbed.home);
    expect(all).toBeGreaterThan(12);
    expect(all).toBeLessThanOrEqual(15);
    expect(readLog(undisturbed.home)).toMatch(
      / (4\d|50) % of the image area unchanged, so not computed again/,
    );
    // What a process that was killed had reused is not known.
    const counted = await framesReused(killed.home);
    expect(counted).toBeGreaterThan(3);
    expect(counted).toBeLessThan(all);
  },
);
