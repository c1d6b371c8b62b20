import { toError } from '../../domain/errors.ts';
import type { Logger } from '../../observability/log-entry.ts';
import type { CloudJob } from '../queue/job-message.ts';
import type { SqsQueue } from '../queue/sqs-queue.ts';

/** Progress is told in steps of this many percent. */
const STEP = 5;

/** Tells the backend about one job, if its message names a queue for that. */
export class JobEvents {
  readonly #queue: Pick<SqsQueue, 'send'>;
  readonly #job: CloudJob;
  readonly #log: Logger;
  #told = 0;

  constructor(queue: Pick<SqsQueue, 'send'>, job: CloudJob, log: Logger) {
    this.#queue = queue;
    this.#job = job;
    this.#log = log;
  }

  /** Tells the progress when it has reached the next step. An event that cannot be sent is left out. */
  async progress(framesDone: number, framesTotal: number | null): Promise<void> {
    if (framesTotal === null || framesTotal === 0) return;
    const percent = Math.floor((framesDone * 100) / framesTotal / STEP) * STEP;
    if (percent <= this.#told || percent >= 100) return;
    this.#told = percent;
    try {
      await this.#send({ type: 'progress', percent, framesDone, framesTotal });
    } catch (error) {
      this.#log.warn(`cannot send the progress: ${toError(error).message}`);
    }
  }

  /** Steps that an earlier worker has told are not told again. */
  startAt(framesDone: number, framesTotal: number): void {
    this.#told = Math.floor((framesDone * 100) / framesTotal / STEP) * STEP;
  }

  async completed(result: object): Promise<void> {
    await this.#send({ type: 'completed', ...result });
  }

  async failed(reason: { code: string; message: string }): Promise<void> {
    await this.#send({ type: 'failed', reason_code: reason.code, reason_message: reason.message });
  }

  async #send(event: object): Promise<void> {
    const { resultQueueUrl, jobId, tier } = this.#job;
    if (resultQueueUrl === null) return;
    await this.#queue.send(resultQueueUrl, JSON.stringify({ version: 1, jobId, tier, ...event }));
  }
}
