import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { ConfigurationError, toError } from '../../domain/errors.ts';
import { codeOfAws, explainRefusal } from '../aws/aws-errors.ts';
import { S3Store } from '../object-store/s3-store.ts';
import type { Received } from '../queue/sqs-queue.ts';
import type { CloudContext } from './cloud-context.ts';
import { removeLeftJobs } from './local-job.ts';
import { CloudMetrics } from './metrics.ts';
import { processMessage } from './process-message.ts';

/** Pause after a request to SQS that failed. */
const RETRY_MS = 5_000;
const FIRST_RETRIES = 3;

export interface CloudWorkerOptions {
  readonly context: CloudContext;
  /** Queues to take messages from, the preferred one first. */
  readonly queueUrls: readonly string[];
  /** End when no message waits. */
  readonly once: boolean;
  /** Prints a line of metrics; null for none. */
  readonly printMetrics: ((line: string) => void) | null;
}

/** Name of this worker: another one for each start. */
export function workerName(): string {
  return `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`;
}

/** Opens buckets, each once. */
export function bucketsOf(client: S3Client): (name: string) => S3Store {
  const open = new Map<string, S3Store>();
  return (name) => {
    const store = open.get(name) ?? new S3Store(client, name);
    open.set(name, store);
    return store;
  };
}

/** Takes messages, one at a time, until it is stopped or, with `once`, none is left. */
export async function runCloudWorker({
  context,
  queueUrls,
  once,
  printMetrics,
}: CloudWorkerOptions): Promise<void> {
  const { log, stopping, home, queue } = context;
  await removeLeftJobs(home, log);
  await assertAccess(context, queueUrls);
  const metrics = new CloudMetrics(context, queueUrls, printMetrics);
  const stopMetrics = metrics.start();
  stopping.addEventListener('abort', () => log.info(toError(stopping.reason).message));
  log.info(`worker ${context.worker} takes messages from ${queueUrls.join(', ')}`);
  try {
    while (!stopping.aborted) {
      await metrics.write();
      const message = await nextMessage(context, queueUrls, once);
      if (message !== null) await processCounted(context, message, metrics);
      else if (once) return;
    }
  } finally {
    stopMetrics();
    await metrics.write();
    queue.close();
  }
}

async function processCounted(
  context: CloudContext,
  message: Received,
  metrics: CloudMetrics,
): Promise<void> {
  const { log, stopping } = context;
  metrics.begun();
  try {
    metrics.ended(await processMessage(context, message));
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    const refusal = explainRefusal(error);
    if (refusal !== null) throw new ConfigurationError(refusal, [refusal], { cause: error });
    metrics.ended(null);
    // The message comes back by itself.
    log.error(
      `cannot end a message (${codeOfAws(error)}: ${toError(error).message}); it comes back to its queue`,
    );
    await delay(RETRY_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
}

/** The next message: of the first queue that has one at once, otherwise of the first queue after a wait. */
async function nextMessage(
  { queue, log, stopping, times }: CloudContext,
  queueUrls: readonly string[],
  once: boolean,
): Promise<Received | null> {
  const visibilitySeconds = Math.ceil(times.visibilityMs / 1000);
  const isOnly = queueUrls.length === 1;
  try {
    for (const url of queueUrls) {
      // With several queues, each one is asked for a moment only, so that the first keeps its precedence.
      const wait = once ? { waitSeconds: 1 } : isOnly ? {} : { waitSeconds: 2 };
      const found = await queue.receive(url, { visibilitySeconds, signal: stopping, ...wait });
      if (found !== null) return found;
    }
  } catch (error) {
    if (stopping.aborted) return null;
    const refusal = explainRefusal(error);
    if (refusal !== null) throw new ConfigurationError(refusal, [refusal], { cause: error });
    log.warn(`cannot receive messages (${codeOfAws(error)}: ${toError(error).message}); retrying`);
    await delay(RETRY_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
  return null;
}

/** Tells at the start what no job could do without. @throws ConfigurationError */
async function assertAccess(context: CloudContext, queueUrls: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      for (const url of queueUrls) await context.queue.deadLetterUrl(url);
      await context.bucket(context.rules.bucket).get('state/access');
      return;
    } catch (error) {
      if (error instanceof ConfigurationError) throw error;
      const refusal =
        explainRefusal(error) ?? (codeOfAws(error) === 'QueueDoesNotExist' ? noQueue(queueUrls) : null);
      if (refusal !== null) throw new ConfigurationError(refusal, [refusal], { cause: error });
      if (attempt > FIRST_RETRIES || context.stopping.aborted) throw error;
      context.log.warn(`cannot reach AWS (${toError(error).message}); retrying`);
      await delay(RETRY_MS, undefined, { signal: context.stopping }).catch(() => undefined);
    }
  }
}

function noQueue(queueUrls: readonly string[]): string {
  return `AWS knows no such queue: ${queueUrls.join(', ')}; check --queue and the region (AWS_REGION).`;
}
