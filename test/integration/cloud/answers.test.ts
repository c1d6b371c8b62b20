import { expect, test } from 'vitest';
import { SqsQueue, type Received } from '../../../src/cloud/queue/sqs-queue.ts';
import { parseJobMessage } from '../../../src/cloud/queue/job-message.ts';
import { JobState } from '../../../src/cloud/state/job-state.ts';
import { deliver } from '../../../src/cloud/worker/deliver.ts';
import { JobEvents } from '../../../src/cloud/worker/events.ts';
import { HOLD_TIMES, MessageHold } from '../../../src/cloud/worker/message-hold.ts';
import { processMessage } from '../../../src/cloud/worker/process-message.ts';
import { cloudContext } from '../../helpers/cloud-context.ts';
import { BUCKET, cloudStandIn, type CloudStandIn } from '../../helpers/cloud-stand-in.ts';
import { jobMessage, sendJob } from '../../helpers/cloud-worker.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';

interface Event {
  readonly type: string;
  readonly eventId: string;
  readonly jobId: string;
  readonly reason_code?: string;
}

async function receive(cloud: CloudStandIn, body: string): Promise<Received> {
  await sendJob(cloud, body);
  const { signal } = new AbortController();
  const options = { visibilitySeconds: 120, waitSeconds: 1, signal };
  const message = await new SqsQueue(cloud.sqs).receive(cloud.queueUrl, options);
  if (message === null) throw new Error('The message did not come.');
  return message;
}

async function events(cloud: CloudStandIn): Promise<Event[]> {
  return (await cloud.receiveAll(cloud.resultUrl)).map(({ body }) => JSON.parse(body) as Event);
}

/** A worker, and a job that was delivered, as far as the store lets it, and whose video was deleted then. */
async function delivered(fault: CloudStandIn['fault'] = () => undefined) {
  const cloud = await cloudStandIn();
  const context = cloudContext(cloud);
  const message = await receive(cloud, jobMessage(cloud));
  const job = parseJobMessage(message.body, { ...context.rules, queueUrl: cloud.queueUrl });
  const store = context.bucket(BUCKET);
  const state = new JobState(store, 'state/x/');
  const claim = (await state.claim(0, { worker: 'w', messageId: message.id, pricePerHour: null })) ?? 0;
  await store.put(state.key('output'), 'output');
  const result = { worker: 'w', claim, outputKey: state.key('output'), frames: 12 };
  await state.setResult(result);
  const { queue, log, nowMs } = context;
  const hold = new MessageHold({ queue, message, times: HOLD_TIMES, log, nowMs });
  const request = { message, job, state, claim, hold, events: new JobEvents(queue, job, silentLogger) };
  cloud.fault = fault;
  const error: unknown = await deliver(context, request, result).catch((error: unknown) => error);
  cloud.fault = () => undefined;
  return { cloud, context, message, error };
}

test('a message of a delivered job is answered with the same event, a second delivery of it is not', async () => {
  const { cloud, context, message } = await delivered();
  const [first, ...others] = await events(cloud);
  expect([first?.type, others]).toEqual(['completed', []]);
  // The worker was killed before it could delete the message.
  expect(await processMessage(context, message)).toBe('done');
  expect(await events(cloud)).toEqual([]);
  const again = await receive(cloud, jobMessage(cloud));
  expect(await processMessage(context, again)).toBe('done');
  expect(await events(cloud)).toEqual([first]);
});

/** A store that is full when this object is written. */
function fullAt(key: string): CloudStandIn['fault'] {
  return (method, url) => (method === 'PUT' && url.includes(key) ? 'no-storage' : undefined);
}

test('a job that ended as done does not fail because its video is gone', async () => {
  const { cloud, context, message, error } = await delivered(fullAt('/x/delivered.json'));
  expect(error).toMatchObject({ name: 'InsufficientStorage' });
  const [first] = await events(cloud);
  expect(await processMessage(context, message)).toBe('done');
  expect(await events(cloud)).toEqual([first]);
});

test('nobody is told that a job is done before the store says so', async () => {
  const { cloud, error } = await delivered(fullAt('state/delivered/'));
  expect(error).toMatchObject({ name: 'InsufficientStorage' });
  expect(await events(cloud)).toEqual([]);
});

test('a known job with another video that is missing fails, and says so', async () => {
  const { cloud, context } = await delivered();
  await events(cloud);
  const other = await receive(cloud, jobMessage(cloud, { input: { key: 'uploads/other.mp4' } }));
  expect(await processMessage(context, other)).toBe('dead');
  expect(await events(cloud)).toMatchObject([
    { type: 'failed', jobId: 'job-1', reason_code: 'INPUT_MISSING' },
  ]);
  expect(await cloud.depth(cloud.deadLetterUrl)).toMatchObject({ visible: 1 });
});

test('whoever sent a message that is no valid job is told, if it says who that is', async () => {
  const cloud = await cloudStandIn();
  const context = cloudContext(cloud);
  for (const body of [
    jobMessage(cloud, { jobId: 'climbs', output: { key: 'finished/../../clip.mp4' } }),
    jobMessage(cloud, { jobId: 'no tier', tier: 'none' }),
    // SQS would take neither the event nor the attribute of the dead-letter queue.
    jobMessage(cloud, { jobId: 'a noncharacter' }).replace('noncharacter', String.raw`\uffff`),
    jobMessage(cloud, { jobId: 'key', output: { key: 'a noncharacter' } }).replace(
      'noncharacter',
      String.raw`\uffff`,
    ),
    jobMessage(cloud, { jobId: 'elsewhere', resultQueueUrl: 'https://example.org/1/q' }),
    'no JSON',
  ])
    expect(await processMessage(context, await receive(cloud, body))).toBe('dead');
  expect((await events(cloud)).map(({ jobId, reason_code: code }) => [jobId, code])).toEqual([
    ['climbs', 'KEY_NOT_ALLOWED'],
    ['key', 'KEY_NOT_ALLOWED'],
  ]);
  expect(await cloud.depth(cloud.deadLetterUrl)).toMatchObject({ visible: 6 });
});

test('a failure that cannot be told for now is told when the message comes back, once', async () => {
  const cloud = await cloudStandIn();
  const context = cloudContext(cloud);
  const message = await receive(cloud, jobMessage(cloud));
  const isEvent = (action: string, body: string): boolean =>
    action === 'SendMessage' && body.includes('failed');
  cloud.fault = (_method, _url, action, body) => (isEvent(action, body) ? 'no-storage' : undefined);
  await expect(processMessage(context, message)).rejects.toThrow();
  cloud.fault = (_method, _url, action, body) => (isEvent(action, body) ? 'lose-answer' : undefined);
  // The event was sent, and the answer got lost.
  await expect(processMessage(context, message)).rejects.toThrow();
  cloud.fault = () => undefined;
  expect(await processMessage(context, message)).toBe('dead');
  const ids = (await events(cloud)).map(({ eventId }) => eventId);
  expect(ids.length).toBeGreaterThan(1);
  expect(new Set(ids).size).toBe(1);
  expect(await cloud.depth(cloud.deadLetterUrl)).toMatchObject({ visible: 1 });
});
