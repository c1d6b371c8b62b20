import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { frameMd5, makeClip } from '../../helpers/clips.ts';
import { startCluster, undisturbed, untilExists } from '../../helpers/cluster.ts';
import { faultyFfmpeg } from '../../helpers/faulty-ffmpeg.ts';
import { readLog, run } from '../../helpers/framekiln.ts';
import { whyNoPostgres } from '../../helpers/postgres.ts';

/* What the database says about workers and batches. */

const missing = whyNoPostgres();
const title = missing === null ? 'the queue of a cluster' : `the queue of a cluster (skipped: ${missing})`;
const SLOW = { tags: ['slow'], timeout: 300_000 };
const WAIT = { timeout: 120_000 };

describe.skipIf(missing !== null)(title, () => {
  it('gets lost batches again, and knows a worker that is busy with a long one', SLOW, async () => {
    const cluster = await startCluster();
    const { root, home, sql, startWorker, coordinate } = cluster;
    const clip = makeClip(join(home, 'clip.mp4'), { frames: 32 });
    const [goOn, hung] = [join(root, 'go-on'), join(root, 'hung')];
    const PATH = faultyFfmpeg(hung, '/segments/b', untilExists(goOn));
    startWorker('one', { PATH });
    const coordinator = coordinate(clip);
    await expect.poll(() => existsSync(join(hung, 'has-failed')), WAIT).toBe(true);

    // As if the batch had taken an hour until now.
    await sql("UPDATE framekiln_cluster.workers SET seen_at = now() - interval '1 hour'");
    await sql("DELETE FROM framekiln_queue.job WHERE state < 'active'");
    const status = (): unknown => JSON.parse(run(['cluster', 'status', '--json', '--home', home]).stdout);
    const work = { video: 'clip.mp4' };
    await expect.poll(status, WAIT).toMatchObject({ workers: [{ name: 'one', work }] });
    writeFileSync(goOn, '');
    expect(await coordinator.ended, readLog(home)).toBe(0);
    expect(readLog(home)).toMatch(/\d batches were missing from the queue of the cluster; adding them again/);
    expect(frameMd5(join(home, 'output/clip.mp4'))).toEqual(undisturbed(cluster, clip));
  });
});
