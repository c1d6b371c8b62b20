import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5, makeClip } from '../../helpers/clips.ts';
import { cloudStandIn } from '../../helpers/cloud-stand-in.ts';
import { bytesOf, keys, LANCZOS, OUTPUT, sendJob, startWorker, upload } from '../../helpers/cloud-worker.ts';
import { makeHome, readLog, run } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const FRAMES = 100;

/** Rows that are in the bucket when the worker is killed. */
const ROWS = 3;

test(
  'another worker under another path goes on after the last checkpoint',
  { tags: ['slow'], timeout: 300_000 },
  async () => {
    const cloud = await cloudStandIn();
    const folder = temporaryFolder();
    const clip = makeClip(join(folder, 'clip.mp4'), { frames: FRAMES });
    await upload(cloud, clip);
    await sendJob(cloud);
    // No further row reaches the bucket, so the worker waits with three checkpoints of its own and is killed then.
    let rows = 0;
    let blocked = (): void => undefined;
    const isBlocked = new Promise<void>((resolve) => (blocked = resolve));
    cloud.fault = (method, url) => {
      if (method !== 'PUT' || !url.includes('/rows/') || ++rows <= ROWS) return undefined;
      blocked();
      return 'cut';
    };
    const first = startWorker(cloud, join(folder, 'first/home'), { args: [] });
    await isBlocked;
    await first.killGroup();
    cloud.fault = () => undefined;
    // SQS gives the message to another worker when the time for which the first one took it has passed.
    const [received] = cloud.bodies.filter((body) => body.includes('WaitTimeSeconds'));
    expect(JSON.parse(received ?? '')).toMatchObject({ VisibilityTimeout: 120 });
    await cloud.returnMessage();
    expect((await keys(cloud)).filter((key) => key.includes('/rows/'))).toHaveLength(ROWS);

    const second = startWorker(cloud, join(folder, 'elsewhere/other home'), { args: [] });
    await expect.poll(() => keys(cloud), { timeout: 200_000, interval: 500 }).toContain(OUTPUT);
    await expect
      .poll(() => cloud.depth(cloud.queueUrl), { timeout: 30_000 })
      .toEqual({ visible: 0, held: 0 });
    second.child.kill('SIGTERM');
    const status = await second.ended;
    expect(status, readLog(second.home)).toBe(0);
    expect(readLog(second.home)).toContain(`${ROWS * 10} of ${FRAMES} frames come from the bucket (claim 2)`);

    const claims: number[] = [];
    for (const key of (await keys(cloud)).filter((each) => each.includes('/rows/')))
      claims.push((JSON.parse((await bytesOf(cloud, key)).toString()) as { claim: number }).claim);
    expect(claims).toEqual([1, 1, 1, 2, 2, 2, 2, 2, 2, 2]);
    const output = join(folder, 'output.mp4');
    writeFileSync(output, await bytesOf(cloud, OUTPUT));
    expect(frameMd5(output)).toEqual(undisturbed(clip, join(folder, 'undisturbed')));
  },
);

function undisturbed(clip: string, home: string): string[] {
  makeHome(home, LANCZOS);
  run(['run', clip, '--home', home, '--skip-checks']);
  return frameMd5(join(home, 'output/clip.mp4'));
}
