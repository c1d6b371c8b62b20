import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5, makeClip } from '../../helpers/clips.ts';
import { startCluster } from '../../helpers/cluster.ts';
import { filesBelow, readLog, run } from '../../helpers/framekiln.ts';
import { whyNoPostgres } from '../../helpers/postgres.ts';

/* One video over several processes with homes of their own, over a real PostgreSQL and a shared folder. */

const missing = whyNoPostgres();
const SLOW = { tags: ['slow'], timeout: 300_000 };

test.skipIf(missing !== null)(
  `a worker makes the frames that one machine would make${missing === null ? '' : ` (skipped: ${missing})`}`,
  SLOW,
  async () => {
    const { home, alone, store, startWorker, coordinate } = await startCluster();
    const clip = makeClip(join(home, 'clip.mp4'), { frames: 22 });
    const worker = startWorker('one');
    expect(await coordinate(clip).ended, readLog(home)).toBe(0);
    expect(
      run(['run', clip, '--home', alone, '--model', 'lanczos', '--scale', '2', '--skip-checks']).status,
    ).toBe(0);

    expect(readLog(home)).toContain('6 batches given to the cluster');
    expect(frameMd5(join(home, 'output/clip.mp4'))).toEqual(frameMd5(join(alone, 'output/clip.mp4')));
    expect(filesBelow(store)).toEqual(['cluster.json']);
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toBe(130);
    expect(filesBelow(join(worker.home, '.framekiln/cluster'))).toEqual([]);
  },
);
