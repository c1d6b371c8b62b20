import type { Home } from '../../config/home.ts';
import type { LiveSettings } from '../../config/live-settings.ts';
import type { RootLogger } from '../../observability/logger.ts';
import type { S3Store } from '../object-store/s3-store.ts';
import type { MessageRules } from '../queue/job-message.ts';
import type { SqsQueue } from '../queue/sqs-queue.ts';
import type { HoldTimes } from './message-hold.ts';

/** What a worker of the cloud has for all its jobs. */
export interface CloudContext {
  readonly home: Home;
  readonly settings: LiveSettings;
  readonly log: RootLogger;
  readonly queue: SqsQueue;
  /** Opens a bucket. */
  readonly bucket: (name: string) => S3Store;
  /** Bucket for checkpoints, and of messages that name none; and what messages may name. */
  readonly rules: Omit<MessageRules, 'queueUrl'>;
  /** Name of this worker, another one for each start. */
  readonly worker: string;
  /** Name of the GPU that models run on; null without one. */
  readonly gpu: string | null;
  readonly pricePerHour: number | null;
  readonly times: HoldTimes;
  readonly nowMs: () => number;
  /** Aborted with a HandOver when this machine goes away or the worker stops. */
  readonly stopping: AbortSignal;
}
