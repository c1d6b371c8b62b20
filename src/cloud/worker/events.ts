import { createHash } from 'node:crypto';
import { toError } from '../../domain/errors.ts';
import type { Logger } from '../../observability/log-entry.ts';
import type { CloudJob } from '../queue/job-message.ts';
import type { SqsQueue } from '../queue/sqs-queue.ts';

/** Progress is told in steps of this many percent. */
const STEP = 5;

/** What is needed of a job to tell its sender about it. */
export type Sender = Pick<CloudJob, 'jobId' | 'tier' | 'resultQueueUrl'>;

/**
 * Tells the backend about one job, if its message names a queue for that. After a crash, the end of a job may be told twice, with
 * the same `eventId`.
 */
export class JobEvents {
  readonly #queue: Pick<SqsQueue, 'send'>;
  readonly #job: Sender;
  readonly #log: Logger;
  #told = 0;
  #sending: Promise<void> | null = null;

  constructor(queue: Pick<SqsQueue, 'send'>, job: Sender, log: Logger) {
    this.#queue = queue;
    this.#job = job;
    this.#log = log;
  }

  /**
   * Tells the progress when it has reached the next step. Nobody waits for it: an event that cannot be sent, or for which the one
   * before is still on its way, is left out.
   */
  progress(framesDone: number, framesTotal: number | null): void {
    if (framesTotal === null || framesTotal === 0 || this.#sending !== null) return;
    const percent = Math.floor((framesDone * 100) / framesTotal / STEP) * STEP;
    if (percent <= this.#told || percent >= 100) return;
    this.#told = percent;
    this.#sending = this.#send({ type: 'progress', percent, framesDone, framesTotal })
      .catch((error: unknown) => this.#log.warn(`cannot send the progress: ${toError(error).message}`))
      .finally(() => (this.#sending = null));
  }

  /** Steps that an earlier worker has told are not told again. */
  startAt(framesDone: number, framesTotal: number): void {
    this.#told = Math.floor((framesDone * 100) / framesTotal / STEP) * STEP;
  }

  /** Tells the end of the job, after the progress that is on its way. @param state of the job, which has one result */
  async completed(result: object, state: string): Promise<void> {
    await this.#sending;
    await this.#send({ type: 'completed', eventId: idOf('completed', state), ...result });
  }

  /** @param messageId of the message that ends. The same job may fail again after its message was sent again. */
  async failed(reason: { code: string; message: string }, messageId: string): Promise<void> {
    await this.#sending;
    const { code: reason_code, message: reason_message } = reason;
    await this.#send({ type: 'failed', eventId: idOf('failed', messageId), reason_code, reason_message });
  }

  async #send(event: object): Promise<void> {
    const { resultQueueUrl, jobId, tier } = this.#job;
    if (resultQueueUrl === null) return;
    await this.#queue.send(resultQueueUrl, JSON.stringify({ version: 1, jobId, tier, ...event }));
  }
}

function idOf(...end: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(end)).digest('hex').slice(0, 32);
}
