import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { S3Store } from '../../../src/cloud/object-store/s3-store.ts';
import type { CloudJob } from '../../../src/cloud/queue/job-message.ts';
import { JobState } from '../../../src/cloud/state/job-state.ts';
import { deliver } from '../../../src/cloud/worker/deliver.ts';
import { downloadSource } from '../../../src/cloud/worker/download-source.ts';
import { JobEvents } from '../../../src/cloud/worker/events.ts';
import { HOLD_TIMES, MessageHold } from '../../../src/cloud/worker/message-hold.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';
import { cloudContext } from '../../helpers/cloud-context.ts';
import { BUCKET, cloudStandIn } from '../../helpers/cloud-stand-in.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const MINUTE = 60_000;
const MIB = 1024 ** 2;

/** A worker for which, from `begin` on, each request for a part takes that many minutes by its clock. */
async function slowWorker(minutes: number) {
  const cloud = await cloudStandIn();
  const clock = { ms: 0, parts: 0 };
  const times = { ...HOLD_TIMES, visibilityMs: 600 * MINUTE, longestFailureMs: 600 * MINUTE };
  const nowMs = (): number => clock.ms;
  const bucket = (name: string): S3Store => new S3Store(cloud.s3, name, { copyPartBytes: 5 * MIB });
  const context = cloudContext(cloud, { times, nowMs, bucket });
  const message = { id: 'm', body: '', receipt: 'r', receiveCount: 1, retries: 0, queueUrl: cloud.queueUrl };
  const queue = { setVisibility: () => Promise.resolve() };
  const hold = new MessageHold({ queue, message, times, log: silentLogger, nowMs });
  const begin = (): void => {
    cloud.fault = async (method, url) => {
      if (!url.includes('partNumber') && !(method === 'GET' && url.includes('slow'))) return undefined;
      clock.parts++;
      clock.ms += minutes * MINUTE;
      await hold.look();
      return undefined;
    };
  };
  return { clock, context, hold, message, store: bucket(BUCKET), begin };
}

const job: CloudJob = {
  ...{ jobId: 'job-1', tier: 'basic', device: 'cpu', scale: 2, resultQueueUrl: null },
  input: { bucket: BUCKET, key: 'slow.mp4' },
  output: { bucket: BUCKET, key: 'finished.mp4' },
};

test('a download of an hour is work that moves', async () => {
  const { clock, context, hold, store, begin } = await slowWorker(20);
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'in.mp4'), randomBytes(16.1 * MIB));
  await store.putFile('slow.mp4', join(folder, 'in.mp4'));
  begin();
  await downloadSource(context, job.input, join(folder, 'out.mp4'), hold);
  expect(clock).toEqual({ ms: 60 * MINUTE, parts: 3 });
});

test('an upload of more than half an hour is work that moves', async () => {
  const { clock, hold, store, begin } = await slowWorker(12);
  const path = join(temporaryFolder(), 'out.mp4');
  writeFileSync(path, randomBytes(16.1 * MIB));
  begin();
  await store.putFile('state/x/output', path, hold.transfer);
  expect(clock).toEqual({ ms: 36 * MINUTE, parts: 3 });
  expect(hold.signal.aborted).toBe(false);
});

test('a copy within the store of more than half an hour is work that moves', async () => {
  // Four parts are copied at the same time.
  const { clock, context, hold, message, store, begin } = await slowWorker(7);
  const path = join(temporaryFolder(), 'out.mp4');
  writeFileSync(path, randomBytes(24 * MIB));
  await store.putFile('state/x/output', path);
  const state = new JobState(store, 'state/x/');
  const claim = (await state.claim(0, { worker: 'w', messageId: 'm', pricePerHour: null })) ?? 0;
  const events = new JobEvents(context.queue, job, silentLogger);
  const result = { worker: 'w', claim, outputKey: 'state/x/output' };
  begin();
  await deliver(context, { message, job, state, events, claim, hold }, result);
  expect(clock).toEqual({ ms: 35 * MINUTE, parts: 5 });
  expect((await store.head('finished.mp4'))?.size).toBe(24 * MIB);
});
