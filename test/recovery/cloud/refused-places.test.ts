import { join } from 'node:path';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { makeClip } from '../../helpers/clips.ts';
import { BUCKET, cloudStandIn } from '../../helpers/cloud-stand-in.ts';
import { jobMessage, keys, OUTPUT, sendJob, startWorker, upload } from '../../helpers/cloud-worker.ts';
import { readLog } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

test(
  'a place that AWS refuses costs its job, not the worker, and the result is delivered later',
  { tags: ['slow'], timeout: 120_000 },
  async () => {
    const cloud = await cloudStandIn();
    const folder = temporaryFolder();
    const clip = makeClip(join(folder, 'clip.mp4'), { frames: 15 });
    await upload(cloud, clip);
    await upload(cloud, clip, 'uploads/third.mp4');
    cloud.fault = (method, url, action, body) => {
      if (method === 'PUT' && url.includes('/forbidden/')) return 'refuse';
      const isEvent =
        action === 'SendMessage' && (JSON.parse(body) as { QueueUrl: string }).QueueUrl === cloud.resultUrl;
      return isEvent && body.includes('secret') ? 'refuse' : undefined;
    };
    const output = jobMessage(cloud, { jobId: 'output', output: { key: 'forbidden/clip.mp4' } });
    const done = jobMessage(cloud, { input: { key: 'uploads/third.mp4' } });
    const event = jobMessage(cloud, { jobId: 'secret', output: { key: 'finished/secret.mp4' } });
    for (const body of [output, event, done]) await sendJob(cloud, body);
    const worker = startWorker(cloud, join(folder, 'home'));
    expect(await worker.ended, readLog(worker.home)).toBe(0);

    const dead = await cloud.receiveAll(cloud.deadLetterUrl);
    const codes = dead.map(({ body, attributes }) => [body, attributes['reason_code'], attributes['stage']]);
    expect(codes).toEqual([
      [output, 'OUTPUT_NOT_WRITABLE', 'deliver'],
      [event, 'RESULT_QUEUE_NOT_WRITABLE', 'deliver'],
    ]);
    expect(await keys(cloud, 'finished/')).toContain(OUTPUT);

    // With the right given and the message sent again, the stored result is delivered.
    cloud.fault = () => undefined;
    await sendJob(cloud, output);
    // A copy of the message of a job that was delivered and whose video is gone is no failed job.
    await cloud.s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'uploads/third.mp4' }));
    await sendJob(cloud, done);
    const before = cloud.requests.length;
    const second = startWorker(cloud, join(folder, 'second'));
    expect(await second.ended, readLog(second.home)).toBe(0);
    expect(await keys(cloud, 'forbidden/')).toEqual(['forbidden/clip.mp4']);
    const written = cloud.requests.slice(before).filter((request) => request.startsWith('PUT'));
    expect(written.filter((request) => /\/(rows|output)\//.test(request))).toEqual([]);
    expect(await cloud.receiveAll(cloud.deadLetterUrl)).toEqual([]);
    expect(await cloud.depth(cloud.queueUrl)).toEqual({ visible: 0, held: 0 });
  },
);
