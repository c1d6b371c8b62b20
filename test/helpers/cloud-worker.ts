import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetObjectCommand, paginateListObjectsV2, PutObjectCommand } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { RETRIES_ATTRIBUTE } from '../../src/cloud/queue/sqs-queue.ts';
import { BUCKET, type CloudStandIn } from './cloud-stand-in.ts';
import { makeHome, start, type Running } from './framekiln.ts';

/** Settings of a worker for tests: no model to download, small batches. */
export const LANCZOS =
  'recipe: { model: lanczos }\nbatch: { firstFrames: 10, frames: 10 }\nworkspace: { memoryFraction: 0.05 }\n';

export const INPUT = 'uploads/clip.mp4';
export const OUTPUT = 'finished/clip.mp4';

/** A message of the form that backends send. */
export function jobMessage(cloud: CloudStandIn, changes: object = {}): string {
  return JSON.stringify({
    version: 1,
    jobId: 'job-1',
    taskType: 'upscale',
    tier: 'basic',
    input: { bucket: BUCKET, key: INPUT },
    output: { bucket: BUCKET, key: OUTPUT },
    resultQueueUrl: cloud.resultUrl,
    ...changes,
  });
}

export async function upload({ s3 }: CloudStandIn, path: string, key = INPUT): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: readFileSync(path) }));
}

/** @param retries transient errors that the message is said to have met */
export async function sendJob(cloud: CloudStandIn, body = jobMessage(cloud), retries = 0): Promise<void> {
  const attributes = { [RETRIES_ATTRIBUTE]: { DataType: 'String', StringValue: String(retries) } };
  const message = { QueueUrl: cloud.queueUrl, MessageBody: body };
  await cloud.sqs.send(
    new SendMessageCommand({ ...message, ...(retries > 0 && { MessageAttributes: attributes }) }),
  );
}

/** Keys of the objects in the bucket of the stand-in. */
export async function keys({ s3 }: CloudStandIn, prefix = ''): Promise<string[]> {
  const found: string[] = [];
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: BUCKET, Prefix: prefix }))
    for (const { Key: key = '' } of page.Contents ?? []) found.push(key);
  return found;
}

export async function bytesOf({ s3 }: CloudStandIn, key: string): Promise<Buffer> {
  const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return Buffer.from((await body?.transformToByteArray()) ?? []);
}

/** Starts `framekiln worker` on a home of its own. */
export function startWorker(
  cloud: CloudStandIn,
  root: string,
  { settings = LANCZOS, args = ['--once'], environment = {} }: WorkerRequest = {},
): Running & { home: string; trace: string } {
  const home = makeHome(root, settings);
  const trace = join(root, 'trace');
  const running = start(['worker', '--queue', cloud.queueUrl, '--home', home, ...args], {
    ...cloud.environment,
    FRAMEKILN_TRACE: trace,
    ...environment,
  });
  return { ...running, home, trace };
}

export interface WorkerRequest {
  readonly settings?: string;
  readonly args?: readonly string[];
  readonly environment?: Record<string, string>;
}
