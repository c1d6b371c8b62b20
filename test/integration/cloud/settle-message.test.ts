import { expect, test } from 'vitest';
import { SqsQueue, type Received } from '../../../src/cloud/queue/sqs-queue.ts';
import { JobState } from '../../../src/cloud/state/job-state.ts';
import { claimJob } from '../../../src/cloud/worker/claim-job.ts';
import type { CloudContext } from '../../../src/cloud/worker/cloud-context.ts';
import { CannotGoOn, Poison, Stalled } from '../../../src/cloud/worker/ends.ts';
import { HOLD_TIMES, MessageHold } from '../../../src/cloud/worker/message-hold.ts';
import type { MessageProgress } from '../../../src/cloud/worker/message-progress.ts';
import { settleMessage } from '../../../src/cloud/worker/settle-message.ts';
import { cloudContext } from '../../helpers/cloud-context.ts';
import { BUCKET, cloudStandIn, type CloudStandIn } from '../../helpers/cloud-stand-in.ts';
import { sendJob } from '../../helpers/cloud-worker.ts';

const NOTHING: MessageProgress = {
  ...{ job: null, state: null, claim: null, stage: 'frames', framesDone: 0, hasMoved: false },
};

async function receive(cloud: CloudStandIn, retries = 0): Promise<Received> {
  await sendJob(cloud, '{}', retries);
  const { signal } = new AbortController();
  const options = { visibilitySeconds: 120, waitSeconds: 1, signal };
  const message = await new SqsQueue(cloud.sqs).receive(cloud.queueUrl, options);
  if (message === null) throw new Error('The message did not come.');
  return message;
}

function holdOf(context: CloudContext, message: Received): MessageHold {
  const { queue, times, log, nowMs } = context;
  return new MessageHold({ queue, message, times, log, nowMs });
}

async function settle(cloud: CloudStandIn, retries: number, error: Error, progress = NOTHING) {
  const context = cloudContext(cloud);
  const message = await receive(cloud, retries);
  const end = await settleMessage(context, { message, progress, hold: holdOf(context, message) }, error);
  const dead = await cloud.receiveAll(cloud.deadLetterUrl);
  return { end, code: dead[0]?.attributes['reason_code'] };
}

test('a full disk is retried with a pause, and ends in the dead-letter queue in the end', async () => {
  const full = new CannotGoOn('The job is waiting: the disk is full.');
  const cloud = await cloudStandIn();
  expect(await settle(cloud, 7, full)).toEqual({ end: 'handed-over', code: undefined });
  // The copy waits for 15 minutes.
  expect(await cloud.receiveAll(cloud.queueUrl)).toEqual([]);
  expect(await settle(cloud, 8, full)).toEqual({ end: 'dead', code: 'CANNOT_GO_ON' });
});

test.each(['no-quota', 'no-storage'] as const)(
  'a bucket that stays full (%s) is retried like a full disk, though nothing can be stored about that',
  async (harm) => {
    const cloud = await cloudStandIn();
    const store = cloudContext(cloud).bucket(BUCKET);
    const state = new JobState(store, 'state/x/');
    const claim = await state.claim(0, { worker: 'a', messageId: 'm', pricePerHour: null });
    cloud.fault = (method) => (method === 'PUT' ? harm : undefined);
    const full: unknown = await store.put('x', 'y').catch((error: unknown) => error);
    const progress = { ...NOTHING, state, claim };
    const error = full instanceof Error ? full : new Error('The store took it.');
    expect(await settle(cloud, 7, error, progress)).toEqual({ end: 'handed-over', code: undefined });
    expect(await settle(cloud, 8, error, progress)).toEqual({ end: 'dead', code: 'CANNOT_GO_ON' });
  },
);

test('a disk without room for the video is a transient error', async () => {
  const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  expect((await settle(await cloudStandIn(), 7, error)).end).toBe('handed-over');
});

test('a job that stalls three times in a row ends in the dead-letter queue', async () => {
  const cloud = await cloudStandIn();
  const stalled = new Stalled('Nothing has moved for 30 minutes.');
  expect((await settle(cloud, 1, stalled)).end).toBe('handed-over');
  expect(await settle(cloud, 2, stalled)).toEqual({ end: 'dead', code: 'STALLED' });
});

test('a new checkpoint makes earlier errors count no more', async () => {
  const cloud = await cloudStandIn();
  const moved = { ...NOTHING, hasMoved: true };
  expect((await settle(cloud, 8, new Stalled('Nothing has moved.'), moved)).end).toBe('handed-over');
});

test('a worker that has lost the job calls it neither failed nor hands it over', async () => {
  const cloud = await cloudStandIn();
  const context = cloudContext(cloud);
  const state = new JobState(context.bucket(BUCKET), 'state/x/');
  const claim = await state.claim(0, { worker: 'a', messageId: 'm', pricePerHour: null });
  await state.claim(1, { worker: 'b', messageId: 'm', pricePerHour: null });
  const progress = { ...NOTHING, state, claim };
  for (const error of [new Poison('DAMAGED', 'The video is damaged.'), new Stalled('Nothing has moved.')])
    expect(await settle(cloud, 8, error, progress)).toEqual({ end: 'lost', code: undefined });
});

test('a copy of a message is deleted while another machine is busy with its job', async () => {
  const cloud = await cloudStandIn();
  const times = { ...HOLD_TIMES, extendEveryMs: 100 };
  const context = cloudContext(cloud, { times });
  const state = new JobState(context.bucket(BUCKET), 'state/x/');
  const claim = await state.claim(0, { worker: 'a', messageId: 'its own', pricePerHour: null });
  await state.setAlive(claim ?? 0, 0);
  const copy = await receive(cloud);
  // The alive sign changes between the two looks at it.
  let looks = 0;
  cloud.fault = async (method, url) => {
    if (method === 'HEAD' && url.includes('alive.json') && looks++ === 1) await state.setAlive(1, 1);
    return undefined;
  };
  expect(await claimJob(context, copy, state, holdOf(context, copy))).toBe('copy');
  expect(await cloud.depth(cloud.queueUrl)).toEqual({ visible: 0, held: 0 });
  // Without a sign of life, the copy takes the job.
  const second = await receive(cloud);
  expect(await claimJob(context, second, state, holdOf(context, second))).toBe(2);
});
