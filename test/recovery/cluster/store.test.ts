import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openQueue } from '../../../src/queue/queue.ts';
import { frameMd5, makeClip } from '../../helpers/clips.ts';
import { startCluster, undisturbed, untilExists, workerLog } from '../../helpers/cluster.ts';
import { faultyFfmpeg } from '../../helpers/faulty-ffmpeg.ts';
import { filesBelow, readLog } from '../../helpers/framekiln.ts';
import { whyNoPostgres } from '../../helpers/postgres.ts';
import { fillUp, mayMount, mountTmpfs } from '../../helpers/tmpfs.ts';

/* The shared folder of a cluster: full, and with the files of a video that nobody needs any more. */

const missing = whyNoPostgres() ?? (mayMount() ? null : 'mounting is not permitted here');
const title = missing === null ? 'the store of a cluster' : `the store of a cluster (skipped: ${missing})`;
const SLOW = { tags: ['slow'], timeout: 300_000 };
const WAIT = { timeout: 120_000 };

describe.skipIf(missing !== null)(title, () => {
  it('may be full for a while, and loses the files of cancelled videos', SLOW, async () => {
    const cluster = await startCluster();
    const { root, home, store, startWorker, coordinate } = cluster;
    mountTmpfs(store, 'size=4m');
    const hangingWorker = (name: string) => {
      const [goOn, folder] = [join(root, `${name}-goes-on`), join(root, `${name}-hangs`)];
      const PATH = faultyFfmpeg(folder, '/segments/b', untilExists(goOn));
      const hangs = () => expect.poll(() => existsSync(join(folder, 'has-failed')), WAIT).toBe(true);
      return { ...startWorker(name, { PATH }), hangs, goOn: () => writeFileSync(goOn, '') };
    };

    const first = coordinate(makeClip(join(home, 'cancelled.mp4'), { frames: 8 }));
    const one = hangingWorker('one');
    await one.hangs();
    await Promise.all([first.killGroup(), one.killGroup()]);
    const [left = ''] = filesBelow(store).filter((file) => file.endsWith('/source'));
    expect(left).not.toBe('');
    cancelJob(home, 1);

    const clip = makeClip(join(home, 'clip.mp4'), { frames: 22 });
    const coordinator = coordinate(clip);
    await expect.poll(() => filesBelow(store), WAIT).not.toContain(left);
    const two = hangingWorker('two');
    await two.hangs();
    const free = fillUp(store);
    two.goOn();
    await expect.poll(() => workerLog(two), WAIT).toContain('the cluster store is full (ENOSPC');
    free();
    expect(await coordinator.ended, readLog(home)).toBe(0);
    expect(workerLog(two)).toContain('the cluster store has room again');
    expect(frameMd5(join(home, 'output/clip.mp4'))).toEqual(undisturbed(cluster, clip));
    expect(filesBelow(store)).toEqual(['cluster.json']);
  });
});

/** As the daemon does for `framekiln cancel`. */
function cancelJob(home: string, id: number): void {
  const queue = openQueue(join(home, '.framekiln/framekiln.db'));
  queue.control.cancelJob(id, Date.now());
  queue.close();
}
