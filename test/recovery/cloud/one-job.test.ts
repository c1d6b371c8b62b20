import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeClip } from '../../helpers/clips.ts';
import { frameMd5 } from '../../helpers/clips.ts';
import { cloudStandIn } from '../../helpers/cloud-stand-in.ts';
import { bytesOf, INPUT, keys, OUTPUT, sendJob, startWorker, upload } from '../../helpers/cloud-worker.ts';
import { filesBelow, readLog } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

interface Event {
  type: string;
  percent?: number;
  sha256?: string;
}

test('a job comes from the queue and its video from the bucket; the result, its key and one event follow', async () => {
  const cloud = await cloudStandIn();
  const folder = temporaryFolder();
  await upload(cloud, makeClip(join(folder, 'clip.mp4'), { frames: 50 }));
  await sendJob(cloud);
  const worker = startWorker(cloud, join(folder, 'home'), { args: ['--once', '--price-per-hour', '0.34'] });
  expect(await worker.ended, readLog(worker.home)).toBe(0);

  const found = await keys(cloud);
  expect(found).toContain(OUTPUT);
  expect(found).toContain(INPUT);
  const output = join(folder, 'output.mp4');
  writeFileSync(output, await bytesOf(cloud, OUTPUT));
  expect(frameMd5(output)).toHaveLength(50);
  const names = found
    .filter((key) => key.startsWith('state/'))
    .map((key) => key.split('/').slice(2).join('/'));
  expect(names).toContain('result.json');
  expect(names).toContain('plan.json');
  expect(names.filter((name) => name.startsWith('rows/'))).toHaveLength(5);

  const events = (await cloud.receiveAll(cloud.resultUrl)).map(({ body }) => JSON.parse(body) as Event);
  const [last, ...others] = events.reverse();
  expect(last).toMatchObject({
    ...{ type: 'completed', jobId: 'job-1', tier: 'basic', frames: 50, device: 'cpu', claims: 1 },
    output: { key: OUTPUT },
  });
  expect(last).not.toHaveProperty('worker');
  for (const { type, percent = 0 } of others) {
    expect(type).toBe('progress');
    expect(percent % 5).toBe(0);
  }
  expect(await cloud.depth(cloud.queueUrl)).toEqual({ visible: 0, held: 0 });
  expect(await cloud.receiveAll(cloud.deadLetterUrl)).toEqual([]);
  // Nothing of the job stays on the machine.
  expect(filesBelow(join(worker.home, '.framekiln/cloud'))).toEqual([]);
});
