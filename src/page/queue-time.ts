import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import type { StatusReader } from '../control/read-status.ts';
import type { Queue } from '../queue/queue.ts';

/** Jobs that are estimated at once, so that other work of the daemon comes in between. */
const PART = 100;
/** How often the sum is made again at most, and at least while somebody looks. */
const SHORTEST_PAUSE_MS = 5_000;
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
  #sum: QueueTime | null = null;
  #mark = '';
  #nextAtMs = 0;
  #dueAtMs = 0;
  #isReading = false;

  constructor(queue: Queue, status: StatusReader) {
    this.#queue = queue;
    this.#status = status;
  }

  /** The sum as last made; null before the first. @param mark differs once the queue has changed @param nowMs any steady clock */
  read(mark: string, nowMs: number): QueueTime | null {
    const isDue = nowMs >= this.#dueAtMs || (mark !== this.#mark && nowMs >= this.#nextAtMs);
    if (isDue && !this.#isReading) {
      this.#isReading = true;
      this.#mark = mark;
      this.#make()
        // The queue may be closed meanwhile.
        .catch(() => undefined)
        .finally(() => {
          this.#isReading = false;
          this.#nextAtMs = nowMs + SHORTEST_PAUSE_MS;
          this.#dueAtMs = nowMs + LONGEST_PAUSE_MS;
        });
    }
    return this.#sum;
  }

  async #make(): Promise<void> {
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
