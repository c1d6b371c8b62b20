import { existsSync, writeFileSync } from 'node:fs';
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
import { readLog, resumedFrames } from '../../helpers/framekiln.ts';
import { whyNoPostgres } from '../../helpers/postgres.ts';

/* Workers, the coordinator and the database of a cluster end or fall silent in the middle of a video. */

const missing = whyNoPostgres();
const name = missing === null ? 'a cluster' : `a cluster (skipped: ${missing})`;
const SLOW = { tags: ['slow'], timeout: 300_000 };
/** Eight batches of four frames. */
const FRAMES = 32;

/** Every segment that a worker encodes. */
const ANY_SEGMENT = '/segments/b';

describe.skipIf(missing !== null)(name, () => {
  it('survives a killed worker, a killed coordinator and a restarted database', SLOW, async () => {
    const cluster = await startCluster();
    const { root, home, postgres, startWorker, coordinate, loseHeartbeats } = cluster;
    const clip = makeClip(join(home, 'clip.mp4'), { frames: FRAMES });
    const hung = join(root, 'hung');
    const doomed = startWorker('doomed', { PATH: faultyFfmpeg(hung, ANY_SEGMENT, 'exec sleep 1000') });
    const coordinator = coordinate(clip);
    await expect.poll(() => existsSync(join(hung, 'has-failed')), { timeout: 120_000 }).toBe(true);
    await doomed.killGroup();
    await loseHeartbeats();
    const other = startWorker('other');
    await expect.poll(() => committedBatches(home), { timeout: 120_000 }).toBeGreaterThanOrEqual(3);
    await coordinator.killGroup();
    postgres.restart();

    expect(await coordinate(clip).ended, readLog(home)).toBe(0);
    expect(resumedFrames(readLog(home))).toBeGreaterThanOrEqual(12);
    expect(frameMd5(join(home, 'output/clip.mp4'))).toEqual(undisturbed(cluster, clip));
    // The batch of the killed worker is made by the other one, and none is made twice.
    const finished = [...workerLog(other).matchAll(/batch (\d+) finished in/g)].map(([, number]) =>
      Number(number),
    );
    expect(finished.toSorted((a, b) => a - b)).toEqual(Array.from({ length: FRAMES / 4 }, (_, i) => i));
    other.child.kill('SIGTERM');
    expect(await other.ended).toBe(130);
  });

  it('refuses the result of a worker that was suspended while others did its batch', SLOW, async () => {
    const cluster = await startCluster();
    const { root, home, startWorker, coordinate, loseHeartbeats } = cluster;
    const clip = makeClip(join(home, 'clip.mp4'), { frames: FRAMES });
    const [goOn, finish] = [join(root, 'go-on'), join(root, 'finish')];
    const hung = join(root, 'hung');
    const stale = startWorker('stale', { PATH: faultyFfmpeg(hung, ANY_SEGMENT, untilExists(goOn)) });
    const coordinator = coordinate(clip);
    await expect.poll(() => existsSync(join(hung, 'has-failed')), { timeout: 120_000 }).toBe(true);
    stale.child.kill('SIGSTOP');
    await loseHeartbeats();
    // Whoever gets the last batch keeps the video open.
    const PATH = faultyFfmpeg(join(root, 'open'), '/segments/b0007.', untilExists(finish));
    startWorker('one', { PATH });
    startWorker('two', { PATH });
    await expect.poll(() => committedBatches(home), { timeout: 120_000 }).toBe(FRAMES / 4 - 1);
    writeFileSync(goOn, '');
    stale.child.kill('SIGCONT');
    await expect
      .poll(() => workerLog(stale), { timeout: 120_000 })
      .toMatch(/batch \d was given to another worker meanwhile; its result is discarded/);
    writeFileSync(finish, '');
    expect(await coordinator.ended, readLog(home)).toBe(0);
    expect(frameMd5(join(home, 'output/clip.mp4'))).toEqual(undisturbed(cluster, clip));
  });
});
