import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { makeClip } from '../../helpers/clips.ts';
import { cloudStandIn } from '../../helpers/cloud-stand-in.ts';
import { keys, OUTPUT, sendJob, startWorker, upload } from '../../helpers/cloud-worker.ts';
import { readLog } from '../../helpers/framekiln.ts';
import { tcpLink } from '../../helpers/tcp-link.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

/** The cut that the test is about. */
const CUT_MS = 10_000;

test(
  'a network that is cut for 10 s in mid-job costs time only',
  { tags: ['slow'], timeout: 180_000 },
  async () => {
    const cloud = await cloudStandIn();
    const link = await tcpLink({ port: Number(new URL(cloud.endpoint).port) });
    const folder = temporaryFolder();
    await upload(cloud, makeClip(join(folder, 'clip.mp4'), { frames: 60 }));
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
      environment: { AWS_ENDPOINT_URL: `http://127.0.0.1:${link.port}` },
    });
    await isReached;
    await delay(CUT_MS);
    cloud.fault = () => undefined;
    link.mend();
    expect(await worker.ended, readLog(worker.home)).toBe(0);
    const found = await keys(cloud);
    expect(found).toContain(OUTPUT);
    expect(found.filter((key) => /claims\/\d+\.json$/.test(key))).toHaveLength(1);
    const events = (await cloud.receiveAll(cloud.resultUrl)).map(({ body }) => body);
    expect(events.filter((body) => body.includes('completed'))).toHaveLength(1);
    expect(await cloud.depth(cloud.queueUrl)).toEqual({ visible: 0, held: 0 });
  },
);
