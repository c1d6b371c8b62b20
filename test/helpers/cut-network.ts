import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { frameMd5, makeClip } from './clips.ts';
import { cloudStandIn } from './cloud-stand-in.ts';
import { bytesOf, keys, OUTPUT, sendJob, startWorker, upload } from './cloud-worker.ts';
import { readLog } from './framekiln.ts';
import { tcpLink } from './tcp-link.ts';
import { temporaryFolder } from './temporary-folder.ts';

const FRAMES = 60;

/**
 * Cuts the network of a worker in mid-job for that long, and checks that the job is done afterwards, once.
 *
 * @returns the number of claims: one if the worker has kept its job
 */
export async function cutNetworkFor(cutMs: number): Promise<number> {
  const cloud = await cloudStandIn();
  const link = await tcpLink({ port: Number(new URL(cloud.endpoint).port) });
  const folder = temporaryFolder();
  await upload(cloud, makeClip(join(folder, 'clip.mp4'), { frames: FRAMES }));
  await sendJob(cloud);
  let reached = (): void => undefined;
  const isReached = new Promise<void>((resolve) => (reached = resolve));
  cloud.fault = (method, url) => {
    if (method === 'PUT' && url.includes('/rows/b000001')) {
      link.cut();
      reached();
    }
    return undefined;
  };
  const worker = startWorker(cloud, join(folder, 'home'), {
    args: [],
    environment: { AWS_ENDPOINT_URL: `http://127.0.0.1:${link.port}` },
  });
  await isReached;
  await delay(cutMs);
  cloud.fault = () => undefined;
  link.mend();
  await expect
    .poll(() => cloud.depth(cloud.queueUrl), { timeout: 240_000, interval: 500 })
    .toEqual({ visible: 0, held: 0 });
  worker.child.kill('SIGTERM');
  expect(await worker.ended, readLog(worker.home)).toBe(0);
  const output = join(folder, 'output.mp4');
  writeFileSync(output, await bytesOf(cloud, OUTPUT));
  expect(frameMd5(output)).toHaveLength(FRAMES);
  const events = (await cloud.receiveAll(cloud.resultUrl)).map(({ body }) => body);
  expect(events.filter((body) => body.includes('completed'))).toHaveLength(1);
  expect(await cloud.receiveAll(cloud.deadLetterUrl)).toEqual([]);
  return (await keys(cloud)).filter((key) => /claims\/\d+\.json$/.test(key)).length;
}
