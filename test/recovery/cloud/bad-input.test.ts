import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frameMd5, makeClip } from '../../helpers/clips.ts';
import { cloudStandIn } from '../../helpers/cloud-stand-in.ts';
import {
  bytesOf,
  INPUT,
  jobMessage,
  keys,
  OUTPUT,
  sendJob,
  startWorker,
  upload,
} from '../../helpers/cloud-worker.ts';
import { failPointFolder } from '../../helpers/fail-points.ts';
import { readLog } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

test(
  'what is refused goes to the dead-letter queue with its reason, and the next job is done',
  { tags: ['slow'], timeout: 120_000 },
  async () => {
    const cloud = await cloudStandIn();
    const folder = temporaryFolder();
    await upload(cloud, makeClip(join(folder, 'clip.mp4'), { frames: 15 }));
    const noVideo = join(folder, 'no-video.mp4');
    writeFileSync(noVideo, 'This is no video.');
    await upload(cloud, noVideo, 'uploads/no-video.mp4');
    const bad = {
      'no JSON': 'hello',
      'no job': '{"version":1}',
      'another bucket': jobMessage(cloud, { input: { bucket: 'of-somebody-else', key: INPUT } }),
      'a key that climbs': jobMessage(cloud, { output: { key: 'finished/../../clip.mp4' } }),
      'the state of others': jobMessage(cloud, { input: { key: 'state/x/output/y' } }),
      'another account': jobMessage(cloud, { resultQueueUrl: 'https://example.org/1/q' }),
      missing: jobMessage(cloud, { input: { key: 'uploads/none.mp4' } }),
      'no video': jobMessage(cloud, { jobId: 'job-2', input: { key: 'uploads/no-video.mp4' } }),
    };
    for (const body of [...Object.values(bad), jobMessage(cloud)]) await sendJob(cloud, body);
    const worker = startWorker(cloud, join(folder, 'home'));
    expect(await worker.ended, readLog(worker.home)).toBe(0);

    const dead = await cloud.receiveAll(cloud.deadLetterUrl);
    const codes = Object.fromEntries(dead.map(({ body, attributes }) => [body, attributes['reason_code']]));
    expect(Object.entries(bad).map(([name, body]) => [name, codes[body]])).toEqual([
      ['no JSON', 'BAD_MESSAGE'],
      ['no job', 'BAD_MESSAGE'],
      ['another bucket', 'BUCKET_NOT_ALLOWED'],
      ['a key that climbs', 'KEY_NOT_ALLOWED'],
      ['the state of others', 'KEY_NOT_ALLOWED'],
      ['another account', 'QUEUE_NOT_ALLOWED'],
      ['missing', 'INPUT_MISSING'],
      ['no video', 'NOT_A_VIDEO'],
    ]);
    expect(await keys(cloud, 'finished/')).toEqual([OUTPUT]);
    expect(await cloud.depth(cloud.queueUrl)).toEqual({ visible: 0, held: 0 });
  },
);

test('with wrong credentials, the worker says so and ends, and the message stays', async () => {
  const cloud = await cloudStandIn();
  await sendJob(cloud);
  cloud.fault = () => 'refuse';
  const worker = startWorker(cloud, join(temporaryFolder(), 'home'));
  expect(await worker.ended).not.toBe(0);
  cloud.fault = () => undefined;
  expect(await cloud.depth(cloud.queueUrl)).toEqual({ visible: 1, held: 0 });
});

test('a worker that may not write checkpoints ends, and calls no job failed', async () => {
  const cloud = await cloudStandIn();
  const folder = temporaryFolder();
  await upload(cloud, makeClip(join(folder, 'clip.mp4'), { frames: 5 }));
  await sendJob(cloud);
  cloud.fault = (method, url) => (method !== 'GET' && url.includes('/state/') ? 'refuse' : undefined);
  const worker = startWorker(cloud, join(folder, 'home'));
  expect(await worker.ended).not.toBe(0);
  expect(await cloud.depth(cloud.queueUrl)).toEqual({ visible: 1, held: 0 });
  expect(await cloud.depth(cloud.deadLetterUrl)).toEqual({ visible: 0, held: 0 });
});

test(
  'a video that is replaced while it is downloaded is downloaded again',
  { tags: ['slow'], timeout: 120_000 },
  async () => {
    const cloud = await cloudStandIn();
    const folder = temporaryFolder();
    await upload(cloud, makeClip(join(folder, 'clip.mp4'), { frames: 15 }));
    const other = makeClip(join(folder, 'other.mp4'), { frames: 12 });
    await sendJob(cloud);
    let reads = 0;
    cloud.fault = async (method, url) => {
      if (method === 'GET' && url.includes(`/${INPUT}`) && ++reads === 1) await upload(cloud, other);
      return undefined;
    };
    const worker = startWorker(cloud, join(folder, 'home'));
    expect(await worker.ended, readLog(worker.home)).toBe(0);
    expect(readLog(worker.home)).toContain('was replaced while it was downloaded');
    const output = join(folder, 'output.mp4');
    writeFileSync(output, await bytesOf(cloud, OUTPUT));
    expect(frameMd5(output)).toHaveLength(12);
  },
);

test(
  'a disk that stays full ends in the dead-letter queue',
  { tags: ['slow'], timeout: 120_000 },
  async () => {
    const cloud = await cloudStandIn();
    const folder = temporaryFolder();
    await upload(cloud, makeClip(join(folder, 'clip.mp4'), { frames: 15 }));
    // A message that was handed over for that reason eight times.
    await sendJob(cloud, jobMessage(cloud), 8);
    const points = failPointFolder(join(folder, 'points'));
    points.arm('segment.before-encoding 1+ ENOSPC');
    const worker = startWorker(cloud, join(folder, 'home'), { environment: points.environment });
    expect(await worker.ended, readLog(worker.home)).toBe(0);
    const [dead] = await cloud.receiveAll(cloud.deadLetterUrl);
    expect(dead?.attributes['reason_code']).toBe('CANNOT_GO_ON');
    expect(await cloud.depth(cloud.queueUrl)).toEqual({ visible: 0, held: 0 });
  },
);
