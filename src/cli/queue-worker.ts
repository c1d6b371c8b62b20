import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { createS3Client, connectionOptions, loadAws } from '../cloud/aws/load-aws.ts';
import { HandOver } from '../cloud/worker/ends.ts';
import { HOLD_TIMES } from '../cloud/worker/message-hold.ts';
import { spotNotice } from '../cloud/worker/spot-notice.ts';
import { cloudVariables } from '../config/environment.ts';
import { LiveSettings } from '../config/live-settings.ts';
import { acquireDaemonLock } from '../daemon/acquire-daemon-lock.ts';
import { ConfigurationError } from '../domain/errors.ts';
import { ExitCode } from '../domain/exit-codes.ts';
import { createLogger } from '../observability/logger.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import { findGpuUse } from './find-gpu-use.ts';
import { openHome } from './open-home.ts';
import { stopSignal } from './stop-signal.ts';

export interface QueueWorkerOptions extends GlobalOptions {
  readonly queue?: readonly string[];
  readonly allowBucket?: readonly string[];
  readonly once?: true;
  readonly spot?: true;
  readonly pricePerHour?: number;
  readonly metrics?: 'emf';
}

/** `framekiln worker --queue`: takes jobs from queues of Amazon SQS, with videos in S3. */
export function queueWorkerCommand(cli: Cli): Command {
  return withQueueOptions(
    new Command('worker').description('Process jobs from a queue of Amazon SQS, with videos in S3'),
  )
    .option('--once', 'exit when no message waits')
    .action(async (_, self: Command) => {
      await runQueueWorker(cli, self.optsWithGlobals<QueueWorkerOptions>());
    });
}

export function withQueueOptions(command: Command): Command {
  return command
    .option(
      '--queue <url>',
      'URL of a queue of Amazon SQS; repeat it for a queue that is used while the first one is empty (default: SQS_QUEUE_URL)',
      collect,
    )
    .option(
      '--allow-bucket <name>',
      'bucket that messages may name beside S3_BUCKET_NAME (repeatable)',
      collect,
    )
    .option('--spot', 'hand the job over when AWS announces that it takes this spot instance away')
    .option('--price-per-hour <usd>', 'price of this machine, for the cost of each job', price)
    .option('--metrics <form>', 'print metrics: emf for CloudWatch’s embedded metric format', metricsForm);
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function price(text: string): number {
  const usd = Number(text);
  if (!(usd >= 0) || text.trim() === '') throw new InvalidArgumentError('It must be a number of US dollars.');
  return usd;
}

function metricsForm(text: string): 'emf' {
  if (text !== 'emf') throw new InvalidArgumentError('It must be emf.');
  return text;
}

/** Works until it is stopped or, with `--once`, until no message waits. */
export async function runQueueWorker(cli: Cli, options: QueueWorkerOptions): Promise<void> {
  const variables = cloudVariables();
  const queueUrls = options.queue ?? (variables.queueUrl === null ? [] : [variables.queueUrl]);
  const { bucket, endpoint } = variables;
  if (queueUrls.length === 0) throw missing('a queue: --queue URL or SQS_QUEUE_URL');
  if (bucket === null) throw missing('a bucket for checkpoints: S3_BUCKET_NAME');
  const { home, settings } = openHome(cli, options);
  const s3 = await createS3Client(endpoint);
  const { bucketsOf, runCloudWorker, workerName } = await loadAws(
    () => import('../cloud/worker/cloud-worker.ts'),
  );
  const { SQSClient } = await loadAws(() => import('@aws-sdk/client-sqs'));
  const { SqsQueue } = await loadAws(() => import('../cloud/queue/sqs-queue.ts'));
  const sqs = new SQSClient({
    ...connectionOptions(endpoint),
    ...(endpoint === null ? {} : { useQueueUrlAsEndpoint: false }),
  });
  const lock = await acquireDaemonLock(home.lockFile);
  if (lock === null) {
    cli.complain(`Another Framekiln daemon or worker is already running on ${home.root}; exiting.`);
    cli.exitCode = ExitCode.alreadyRunning;
    return;
  }
  const log = createLogger({
    file: join(home.logs, 'framekiln.log'),
    level: settings.log.level,
    console: true,
  });
  const stopping = new AbortController();
  const stop = stopSignal();
  stop.addEventListener('abort', () => stopping.abort(new HandOver('The worker is stopping.')));
  const done = new AbortController();
  if (options.spot === true)
    void spotNotice(variables.instanceMetadata, done.signal).then((notice) => {
      if (notice !== null) stopping.abort(new HandOver('AWS takes this spot instance away.'));
    });
  try {
    const gpu = await findGpuUse(null);
    await runCloudWorker({
      queueUrls,
      once: options.once === true,
      printMetrics: options.metrics === 'emf' ? (line) => cli.print(line) : null,
      context: {
        ...{ home, log, worker: workerName(), queue: new SqsQueue(sqs), bucket: bucketsOf(s3) },
        settings: new LiveSettings({ home, flags: options.set ?? [] }),
        rules: { bucket, allowedBuckets: [bucket, ...(options.allowBucket ?? [])] },
        gpu: gpu.code === 'used' || gpu.code === 'webgpu' ? gpu.gpu : null,
        pricePerHour: options.pricePerHour ?? null,
        times: HOLD_TIMES,
        nowMs: () => performance.now(),
        stopping: stopping.signal,
      },
    });
    if (stop.aborted) cli.exitCode = ExitCode.ok;
  } finally {
    done.abort();
    s3.destroy();
    lock.release();
    await log.close();
  }
}

function missing(what: string): ConfigurationError {
  const fault = `framekiln worker needs ${what}.`;
  return new ConfigurationError(fault, [fault]);
}
