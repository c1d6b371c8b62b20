import { join } from 'node:path';
import { createS3Client, connectionOptions, loadAws } from '../cloud/aws/load-aws.ts';
import { HandOver } from '../cloud/worker/ends.ts';
import { leaveNotice } from '../cloud/worker/leave-notice.ts';
import { HOLD_TIMES } from '../cloud/worker/message-hold.ts';
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

/** `framekiln worker --queue`: works until it is stopped or, with `--once`, until no message waits. */
export async function runQueueWorker(cli: Cli, options: QueueWorkerOptions): Promise<void> {
  const variables = cloudVariables();
  const queueUrls = options.queue ?? (variables.queueUrl === null ? [] : [variables.queueUrl]);
  const { bucket, endpoint } = variables;
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
    void leaveNotice(variables.instanceMetadata, done.signal).then((notice) => {
      if (notice !== null) stopping.abort(new HandOver(notice));
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
