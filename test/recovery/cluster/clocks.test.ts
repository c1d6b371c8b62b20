import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { frameMd5, makeClip } from '../../helpers/clips.ts';
import {
  committedBatches,
  startCluster,
  undisturbed,
  untilExists,
  workerLog,
} from '../../helpers/cluster.ts';
import { faultyFfmpeg } from '../../helpers/faulty-ffmpeg.ts';
import { readLog } from '../../helpers/framekiln.ts';
import { movableClock } from '../../helpers/movable-clock.ts';
import { whyNoPostgres } from '../../helpers/postgres.ts';

/* Workers whose clocks differ. */

const missing = whyNoPostgres();
const SLOW = { tags: ['slow'], timeout: 300_000 };
/** Eight batches of four frames. */
const FRAMES = 32;
const WAIT = { timeout: 120_000 };

const skipped = (reason: string | null): string => (reason === null ? '' : ` (skipped: ${reason})`);

describe.skipIf(missing !== null)(`workers whose clocks differ${skipped(missing)}`, () => {
  it('keep their batches, because the clock of the database decides', SLOW, async () => {
    const cluster = await startCluster();
    const { root, home, startWorker, coordinate } = cluster;
    const clip = makeClip(join(home, 'clip.mp4'), { frames: FRAMES });
    const [goOn, hung] = [join(root, 'go-on'), join(root, 'hung')];
    const clock = (name: string, minutes: number): Record<string, string> => {
      const moved = movableClock(makeFolder(root, name));
      moved.set(minutes * 60_000);
      return moved.environment;
    };
    const PATH = faultyFfmpeg(hung, '/segments/b', untilExists(goOn));
    const ahead = startWorker('ahead', { PATH, ...clock('clock-ahead', 10) });
    const coordinator = coordinate(clip);
    await expect.poll(() => existsSync(join(hung, 'has-failed')), WAIT).toBe(true);
    const behind = startWorker('behind', clock('clock-behind', -10));
    // The batches that the first one holds stay with it, whatever the second takes the time for.
    await expect.poll(() => committedBatches(home), WAIT).toBeGreaterThanOrEqual(FRAMES / 4 - 3);
    writeFileSync(goOn, '');
    expect(await coordinator.ended, readLog(home)).toBe(0);
    expect(workerLog(ahead)).toMatch(/batch 0 finished in/);
    expect(`${workerLog(ahead)}${workerLog(behind)}`).not.toMatch(/WARN|ERROR|discarded/);
    expect(frameMd5(join(home, 'output/clip.mp4'))).toEqual(undisturbed(cluster, clip));
  });
});

function makeFolder(root: string, name: string): string {
  const folder = join(root, name);
  mkdirSync(folder);
  return folder;
}
