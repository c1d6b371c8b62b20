import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeClip } from '../../helpers/clips.ts';
import { cloudStandIn } from '../../helpers/cloud-stand-in.ts';
import { jobMessage, keys, OUTPUT, sendJob, startWorker, upload } from '../../helpers/cloud-worker.ts';
import { readLog } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

test(
  'a place that AWS refuses costs its job, not the worker',
  { tags: ['slow'], timeout: 120_000 },
  async () => {
    const cloud = await cloudStandIn();
    const folder = temporaryFolder();
    await upload(cloud, makeClip(join(folder, 'clip.mp4'), { frames: 15 }));
    cloud.fault = (method, url, action, body) => {
      if (method === 'PUT' && url.includes('/forbidden/')) return 'refuse';
      const isEvent =
        action === 'SendMessage' && (JSON.parse(body) as { QueueUrl: string }).QueueUrl === cloud.resultUrl;
      return isEvent && body.includes('secret') ? 'refuse' : undefined;
    };
    const output = jobMessage(cloud, { jobId: 'output', output: { key: 'forbidden/clip.mp4' } });
    const event = jobMessage(cloud, { jobId: 'secret', output: { key: 'finished/secret.mp4' } });
    for (const body of [output, event, jobMessage(cloud)]) await sendJob(cloud, body);
    const worker = startWorker(cloud, join(folder, 'home'));
    expect(await worker.ended, readLog(worker.home)).toBe(0);

    const dead = await cloud.receiveAll(cloud.deadLetterUrl);
    const codes = dead.map(({ body, attributes }) => [body, attributes['reason_code'], attributes['stage']]);
    expect(codes).toEqual([
      [output, 'OUTPUT_NOT_WRITABLE', 'deliver'],
      [event, 'RESULT_QUEUE_NOT_WRITABLE', 'deliver'],
    ]);
    expect(await keys(cloud, 'finished/')).toContain(OUTPUT);
    expect(await cloud.depth(cloud.queueUrl)).toEqual({ visible: 0, held: 0 });
  },
);
