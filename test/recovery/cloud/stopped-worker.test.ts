import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeClip } from '../../helpers/clips.ts';
import { cloudStandIn } from '../../helpers/cloud-stand-in.ts';
import { bytesOf, keys, OUTPUT, sendJob, startWorker, upload } from '../../helpers/cloud-worker.ts';
import { readLog } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

test(
  'a worker that is stopped hands its job over, and the next one resumes after the last checkpoint',
  { tags: ['slow'], timeout: 120_000 },
  async () => {
    const cloud = await cloudStandIn();
    const folder = temporaryFolder();
    await upload(cloud, makeClip(join(folder, 'clip.mp4'), { frames: 100 }));
    await sendJob(cloud);
    // The third row waits until the worker has been told to stop, so that it stops in mid-job.
    let rows = 0;
    let reached = (): void => undefined;
    const isReached = new Promise<void>((resolve) => (reached = resolve));
    let proceed = (): void => undefined;
    const mayProceed = new Promise<void>((resolve) => (proceed = resolve));
    cloud.fault = async (method, url) => {
      if (method !== 'PUT' || !url.includes('/rows/') || ++rows < 3) return undefined;
      reached();
      await mayProceed;
      return undefined;
    };
    const first = startWorker(cloud, join(folder, 'first'), { args: [] });
    await isReached;
    first.child.kill('SIGTERM');
    await expect.poll(() => readLog(first.home)).toContain('The worker is stopping.');
    proceed();
    expect(await first.ended, readLog(first.home)).toBe(0);
    // A new message, whose deliveries count from one, and no claim that seems to be alive.
    expect(await cloud.depth(cloud.queueUrl)).toEqual({ visible: 1, held: 0 });
    const stored = (await keys(cloud)).filter((key) => key.includes('/rows/')).length;
    expect(stored).toBeGreaterThanOrEqual(3);
    expect(stored).toBeLessThan(10);

    const second = startWorker(cloud, join(folder, 'second'));
    expect(await second.ended, readLog(second.home)).toBe(0);
    expect(readLog(second.home)).toContain(`${stored * 10} of 100 frames come from the bucket (claim 2)`);
    const claims: number[] = [];
    for (const key of (await keys(cloud)).filter((each) => each.includes('/rows/')))
      claims.push((JSON.parse((await bytesOf(cloud, key)).toString()) as { claim: number }).claim);
    expect(claims.filter((claim) => claim === 1)).toHaveLength(stored);
    expect(claims.filter((claim) => claim === 2)).toHaveLength(10 - stored);
    expect(await keys(cloud)).toContain(OUTPUT);
  },
);
