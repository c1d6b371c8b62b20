import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateBucketCommand, DeleteObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { onTestFinished } from 'vitest';
import { isRefusal, isSkewed, refuse, type Refusal } from './refused-requests.ts';
import { copyPart, isPartCopy } from './upload-part-copy.ts';

export const BUCKET = 'videos';

/**
 * Address of a real store that takes the place of fauxqs for S3, with the access key and secret `test`; test/soak/radosgw.test.ts
 * sets it. Its bucket is emptied before each test, so only one file may run at a time.
 */
export const REAL_STORE = process.env['FRAMEKILN_TEST_S3'];

/** Whether copies and uploads in parts obey conditions. Ceph 16 ignores the conditions of both. */
export const HAS_CONDITIONAL_COPIES = REAL_STORE === undefined;

/** What happens to a request instead of the usual answer; `lose-answer`: the request takes effect and its answer is cut. */
export type Harm = 'cut' | 'lose-answer' | Refusal | undefined;

/**
 * Decides what becomes of a request to the stand-in, possibly later: until then the request waits.
 *
 * @param body of a request to SQS; empty for others
 */
export type Fault = (method: string, url: string, action: string, body: string) => Harm | Promise<Harm>;

export interface CloudStandIn {
  readonly endpoint: string;
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
  readonly resultUrl: string;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  /** Environment of a worker that uses the stand-in. */
  readonly environment: Record<string, string>;
  /** Every request that came, as `METHOD path`. */
  readonly requests: string[];
  /** The bodies of the requests to SQS that workers have made. */
  readonly bodies: string[];
  fault: Fault;
  /** How far the clock of the stand-in is ahead. Requests with another time are refused, as AWS does. */
  clockAheadMs: number;
  /** All messages of a queue, taken out of sight for some seconds. */
  receiveAll(url: string): Promise<{ body: string; attributes: Record<string, string> }[]>;
  /** Number of requests that took effect and whose answers were cut. */
  readonly answersLost: number;
  /** Ends the visibility timeout of the message that was received last, as if its worker had not extended it. */
  returnMessage(): Promise<void>;
  /** Numbers of messages that wait, and that are held. */
  depth(url: string): Promise<{ visible: number; held: number }>;
}

/**
 * SQS and S3 on this machine: fauxqs behind a proxy that adds what fauxqs lacks, writes with If-None-Match and If-Match, and that
 * can cut connections.
 *
 * @param visibility seconds that a received message stays out of sight
 */
export async function cloudStandIn({ visibility = 120, maxReceives = 5 } = {}): Promise<CloudStandIn> {
  const server = await startFauxqs({ port: 0, logger: false });
  const state: ProxyState = { fault: () => undefined, receipt: null, answersLost: 0, clockAheadMs: 0 };
  const requests: string[] = [];
  const bodies: string[] = [];
  const targets = { sqs: `http://127.0.0.1:${server.port}`, realStore: REAL_STORE };
  const proxy = await startProxy(targets, state, { requests, bodies });
  const endpoint = `http://127.0.0.1:${proxy.port}`;
  const environment = {
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: endpoint,
    S3_BUCKET_NAME: BUCKET,
  };
  const client = {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  const sqs = new SQSClient({ ...client, useQueueUrlAsEndpoint: false });
  onTestFinished(async () => {
    s3.destroy();
    sqs.destroy();
    await proxy.close();
    await server.stop();
  });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  if (REAL_STORE !== undefined) await emptyBucket(s3);
  const createQueue = async (name: string, attributes: Record<string, string> = {}): Promise<string> => {
    const made = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
    return made.QueueUrl ?? '';
  };
  const deadLetterUrl = await createQueue('jobs-dead');
  const resultUrl = await createQueue('results');
  const { Attributes: dead } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetterUrl, AttributeNames: ['QueueArn'] }),
  );
  const queueUrl = await createQueue('jobs', {
    VisibilityTimeout: String(visibility),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead?.QueueArn, maxReceiveCount: maxReceives }),
  });
  return {
    ...{ endpoint, queueUrl, deadLetterUrl, resultUrl, s3, sqs, environment, requests, bodies },
    get answersLost() {
      return state.answersLost;
    },
    get fault() {
      return state.fault;
    },
    set fault(fault) {
      state.fault = fault;
    },
    get clockAheadMs() {
      return state.clockAheadMs;
    },
    set clockAheadMs(ms) {
      state.clockAheadMs = ms;
    },
    async returnMessage() {
      const request = { QueueUrl: queueUrl, ReceiptHandle: state.receipt ?? '', VisibilityTimeout: 0 };
      await sqs.send(new ChangeMessageVisibilityCommand(request));
    },
    async receiveAll(url) {
      const found = [];
      for (;;) {
        const { Messages: messages = [] } = await sqs.send(
          new ReceiveMessageCommand({
            QueueUrl: url,
            MaxNumberOfMessages: 10,
            MessageAttributeNames: ['All'],
            VisibilityTimeout: 3600,
          }),
        );
        if (messages.length === 0) return found;
        for (const { Body: body = '', MessageAttributes: given = {} } of messages) {
          const attributes = Object.fromEntries(
            Object.entries(given).map(([name, { StringValue: text = '' }]) => [name, text]),
          );
          found.push({ body, attributes });
        }
      }
    },
    async depth(url) {
      const { Attributes: found = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }),
      );
      return {
        visible: Number(found['ApproximateNumberOfMessages']),
        held: Number(found['ApproximateNumberOfMessagesNotVisible']),
      };
    },
  };
}

interface ProxyState {
  fault: Fault;
  /** Of the message that was received last. */
  receipt: string | null;
  answersLost: number;
  clockAheadMs: number;
}

/** Passes requests on, one at a time for each key that is written on a condition. */
async function startProxy(
  { sqs, realStore }: { sqs: string; realStore: string | undefined },
  state: ProxyState,
  seen: { requests: string[]; bodies: string[] },
) {
  const turns = new Map<string, Promise<void>>();
  const handle = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '/', headers } = incoming;
    const action = String(headers['x-amz-target'] ?? '').replace(/^.*\./, '');
    seen.requests.push(`${method} ${url}${action === '' ? '' : ` ${action}`}`);
    const body = action === '' ? undefined : await readAll(incoming);
    if (body !== undefined) seen.bodies.push(body.toString());
    const fault = await state.fault(method, url, action, body?.toString() ?? '');
    const onLost = (): void => {
      state.answersLost++;
    };
    const now = Date.now() + state.clockAheadMs;
    const date = new Date(now).toUTCString();
    answer.setHeader('date', date);
    const options = { body, date, ...(fault === 'lose-answer' && { onLost }) };
    if (fault === 'cut') {
      incoming.socket.destroy();
      return;
    }
    const refusal = isSkewed(headers['x-amz-date']?.toString(), now) ? 'skewed' : fault;
    if (isRefusal(refusal)) {
      incoming.resume();
      refuse(answer, refusal, action !== '');
      return;
    }
    const target = action === '' ? (realStore ?? sqs) : sqs;
    if (target === realStore) return pass(target, incoming, answer, options);
    if (isPartCopy(incoming)) return copyPart(target, incoming, answer);
    const [key = ''] = url.split('?');
    const [noneMatch, match] = [headers['if-none-match'], headers['if-match']];
    const isCondition = ['PUT', 'POST'].includes(method) && (noneMatch !== undefined || match !== undefined);
    if (action === 'ReceiveMessage')
      return pass(target, incoming, answer, {
        ...options,
        onAnswer: (text) => (state.receipt = receiptOf(text) ?? state.receipt),
      });
    if (!isCondition) return pass(target, incoming, answer, options);
    const before = turns.get(key) ?? Promise.resolve();
    let done = (): void => undefined;
    turns.set(key, new Promise((resolve) => (done = resolve)));
    await before;
    try {
      const head = await fetch(target + key, { method: 'HEAD' });
      const holds = noneMatch === '*' ? !head.ok : head.headers.get('etag') === match;
      if (holds) {
        await pass(target, incoming, answer, options);
        return;
      }
      incoming.resume();
      answer.writeHead(412, { 'content-type': 'application/xml' });
      answer.end(
        '<Error><Code>PreconditionFailed</Code><Message>The condition does not hold.</Message></Error>',
      );
    } finally {
      done();
    }
  };
  const server = createServer((incoming, answer) => {
    handle(incoming, answer).catch(() => answer.destroy());
  });
  await new Promise<void>((up) => server.listen(0, '127.0.0.1', up));
  const close = (): Promise<void> =>
    new Promise((closed) => {
      server.close(() => closed());
      server.closeAllConnections();
    });
  return { port: (server.address() as AddressInfo).port, close };
}

async function emptyBucket(s3: S3Client): Promise<void> {
  for (;;) {
    const { Contents: found = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    if (found.length === 0) return;
    for (const { Key } of found) await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
  }
}

interface PassOptions {
  /** Body of the request if it was read already. */
  readonly body: Buffer | undefined;
  /** Time of the server. */
  readonly date: string;
  /** If given, the answer is cut, and this is called. */
  readonly onLost?: () => void;
  readonly onAnswer?: (text: string) => void;
}

/** Passes one request on. Settles when its answer is complete or its connection broke. */
function pass(
  target: string,
  incoming: IncomingMessage,
  answer: ServerResponse,
  { body, date, onLost, onAnswer }: PassOptions,
): Promise<void> {
  return new Promise((resolve) => {
    const { method, headers, url = '/' } = incoming;
    const outgoing = request(target + url, { ...(method && { method }), headers }, (found) => {
      if (onLost !== undefined) {
        found.resume();
        found.once('end', () => {
          onLost();
          incoming.socket.destroy();
        });
        return;
      }
      if (onAnswer !== undefined) void readAll(found).then((bytes) => onAnswer(bytes.toString()));
      answer.writeHead(found.statusCode ?? 500, { ...found.headers, date });
      found.pipe(answer);
    });
    answer.once('close', resolve);
    outgoing.on('error', () => answer.destroy());
    incoming.on('aborted', () => outgoing.destroy());
    if (body === undefined) incoming.pipe(outgoing);
    else outgoing.end(body);
  });
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function receiptOf(text: string): string | undefined {
  const { Messages: [message] = [] } = JSON.parse(text) as { Messages?: { ReceiptHandle: string }[] };
  return message?.ReceiptHandle;
}
