import { setTimeout as delay } from 'node:timers/promises';
import type { Home } from '../config/home.ts';
import { DatabaseDamagedError, toError } from '../domain/errors.ts';
import { isTransientDatabaseError } from '../domain/transient-errors.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { Queue } from '../queue/queue.ts';
import { isDamage } from '../queue/salvage.ts';
import { openHealthyQueue } from './healthy-queue.ts';

/** Pause before another attempt to open the queue, which a full disk may prevent. */
const RETRY_MS = 1000;
/** Number of damages while one daemon runs after which the disk must be at fault. */
const MOST_DAMAGES = 3;

export interface QueueUse<Result> {
  readonly home: Home;
  readonly log: Logger;
  /** Ends the wait for a queue that cannot be opened. */
  readonly signal: AbortSignal;
  /** Uses the queue; rejects if it finds the database damaged. */
  readonly use: (queue: Queue) => Promise<Result>;
}

/**
 * Opens the queue of a home and passes it to `use`. After a database error both steps are repeated: a full disk or a
 * locked database is retried every second, and a damaged database is replaced.
 *
 * @returns the result of `use`, or null if the signal was aborted while the queue could not be opened
 * @throws DatabaseDamagedError if the database is damaged again and again
 */
export async function withHealthyQueue<Result>(queueUse: QueueUse<Result>): Promise<Result | null> {
  const { home, log, signal } = queueUse;
  for (let damageCount = 0; ;) {
    try {
      return await openAndUse(queueUse);
    } catch (error) {
      if (isTransientDatabaseError(error)) {
        if (signal.aborted) return null;
        log.error(`cannot use the queue: ${withoutFullStop(toError(error).message)}; retrying`);
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
        continue;
      }
      // Opening the queue again checks the whole database and replaces it if it is damaged.
      if (!isDamage(error)) throw error;
      log.error(`the database is damaged: ${withoutFullStop(toError(error).message)}`);
      damageCount++;
      if (damageCount > MOST_DAMAGES) {
        const sentence = `The database was damaged ${damageCount} times while this daemon ran; check the disk that holds ${home.stateDir}.`;
        log.error(withoutFullStop(sentence));
        throw new DatabaseDamagedError(sentence, { cause: error });
      }
    }
  }
}

async function openAndUse<Result>({ home, log, use }: QueueUse<Result>): Promise<Result> {
  const queue = await openHealthyQueue(home, log);
  try {
    return await use(queue);
  } finally {
    queue.close();
  }
}
