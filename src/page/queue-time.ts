import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import type { StatusReader } from '../control/read-status.ts';
import type { Queue } from '../queue/queue.ts';

/** Jobs that are estimated at once, so that other work of the daemon comes in between. */
const PART = 100;
/** How long to pause after a change, as a multiple of the time that the sum takes. */
const PAUSES = 5;
/** How often the sum is made again without a change, while somebody looks: rates of running jobs move slowly. */
const LONGEST_PAUSE_MS = 60_000;

export const QueueTime = z.object({
  seconds: z
    .int()
    .meta({ description: 'of all queued jobs, one after the other, without those that are running' }),
  unknownCount: z.int().meta({ description: 'queued jobs without an estimate' }),
});
export type QueueTime = z.infer<typeof QueueTime>;

/**
 * How long the queued jobs take together. Ten thousand estimates take a second of a processor, so they are made in the
 * background, in parts, and only while somebody asks for the sum.
 */
export class QueueTimeReader {
  readonly #queue: Queue;
  readonly #status: StatusReader;
  readonly #now: () => number;
  #sum: QueueTime | null = null;
  #mark = '';
  #nextAtMs = 0;
  #dueAtMs = 0;
  #isReading = false;

  /** @param now any steady clock, in milliseconds */
  constructor(queue: Queue, status: StatusReader, now: () => number) {
    this.#queue = queue;
    this.#status = status;
    this.#now = now;
  }

  /** The sum as last made; null before the first. @param mark differs once the queue or what its estimates rest on has changed */
  read(mark: string): QueueTime | null {
    const nowMs = this.#now();
    const isDue = nowMs >= this.#dueAtMs || (mark !== this.#mark && nowMs >= this.#nextAtMs);
    if (isDue && !this.#isReading) {
      this.#isReading = true;
      this.#mark = mark;
      this.#make()
        // The queue may be closed meanwhile.
        .catch(() => undefined)
        .finally(() => {
          this.#isReading = false;
          const endMs = this.#now();
          this.#nextAtMs = endMs + PAUSES * (endMs - nowMs);
          this.#dueAtMs = endMs + LONGEST_PAUSE_MS;
        });
    }
    return this.#sum;
  }

  async #make(): Promise<void> {
    this.#status.forgetEstimates();
    let [seconds, unknownCount, last] = [0, 0, 0];
    for (;;) {
      const jobs = this.#queue.jobs.listQueuedAfter(last, PART);
      for (const job of jobs) {
        const estimate = await this.#status.secondsLeft(job);
        if (estimate === null) unknownCount++;
        else seconds += estimate;
      }
      last = jobs.at(-1)?.id ?? last;
      if (jobs.length < PART) break;
      await nextTurn();
    }
    this.#sum = { seconds: Math.round(seconds), unknownCount };
  }
}
