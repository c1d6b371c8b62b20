import { toError } from '../../domain/errors.ts';
import type { Logger } from '../../observability/log-entry.ts';
import { codeOfAws, isGone } from '../aws/aws-errors.ts';
import type { Transfer } from '../object-store/object-store.ts';
import type { Received, SqsQueue } from '../queue/sqs-queue.ts';
import { HandOver, MessageLost, Stalled } from './ends.ts';

/** How long a message is held, and when it is given up; in tests shorter. */
export interface HoldTimes {
  /** How long a message stays out of sight without an extension. */
  readonly visibilityMs: number;
  readonly extendEveryMs: number;
  /** Failing extensions for this long mean that the message is lost: less than the visibility, so that no other worker has it yet. */
  readonly longestFailureMs: number;
  /** A message can be held for 12 hours at most; it is handed over before. */
  readonly longestHoldMs: number;
  /** The message is not extended for work that has not moved for this long. */
  readonly stallMs: number;
}

export const HOLD_TIMES: HoldTimes = {
  visibilityMs: 120_000,
  extendEveryMs: 30_000,
  longestFailureMs: 90_000,
  longestHoldMs: 11 * 3_600_000,
  stallMs: 30 * 60_000,
};

export interface HoldOptions {
  readonly queue: Pick<SqsQueue, 'setVisibility'>;
  readonly message: Received;
  readonly times: HoldTimes;
  readonly log: Logger;
  /** Milliseconds of a clock that is never set. */
  readonly nowMs: () => number;
  /** Called after each extension. */
  readonly onExtended?: () => Promise<void>;
}

/**
 * Holds a message out of sight of other workers while the work on it moves. `signal` aborts with the reason why the work has to
 * stop: MessageLost, HandOver or Stalled.
 */
export class MessageHold {
  readonly #options: HoldOptions;
  readonly #end = new AbortController();
  readonly #receivedAtMs: number;
  #movedAtMs: number;
  #lastFault: string | null = null;
  #extendedAtMs: number;
  #isExtending = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: HoldOptions) {
    this.#options = options;
    this.#receivedAtMs = this.#movedAtMs = this.#extendedAtMs = options.nowMs();
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  get heldMs(): number {
    return this.#options.nowMs() - this.#receivedAtMs;
  }

  /** Begins to extend. */
  start(): this {
    this.#timer ??= setInterval(() => void this.look(), this.#options.times.extendEveryMs);
    return this;
  }

  /** Options of a transfer that may take longer than work may stand still. */
  get transfer(): Required<Transfer> {
    return { signal: this.signal, onMoved: () => this.moved() };
  }

  /** Says that the work has moved. */
  moved(): void {
    this.#movedAtMs = this.#options.nowMs();
    this.#lastFault = null;
  }

  /** Says why the work does not move, for the case that it does not move until the message is given up. */
  failed(why: string): void {
    this.#lastFault = why;
  }

  /** Ends the work for a reason from outside. The first reason counts. */
  end(reason: Error): void {
    this.#end.abort(reason);
  }

  /** Extends the message, or decides that the work has to stop. */
  async look(): Promise<void> {
    const { times, nowMs, message, queue, log, onExtended } = this.#options;
    if (this.signal.aborted) return;
    if (this.#isExtending) {
      // A request that hangs is no better than one that fails.
      if (nowMs() - this.#extendedAtMs >= times.longestFailureMs) this.end(notExtended());
      return;
    }
    if (nowMs() - this.#receivedAtMs >= times.longestHoldMs) {
      this.end(
        new HandOver('The message was held for as long as SQS allows; the job goes on with a new one.'),
      );
      return;
    }
    if (nowMs() - this.#movedAtMs >= times.stallMs) {
      const why = this.#lastFault === null ? '.' : `: ${this.#lastFault}`;
      this.end(new Stalled(`Nothing has moved for ${Math.round(times.stallMs / 60_000)} minutes${why}`));
      return;
    }
    // A suspended process wakes up with the message lost.
    if (nowMs() - this.#extendedAtMs >= times.visibilityMs) {
      this.end(new MessageLost('The message could not be extended in time; another worker may have it.'));
      return;
    }
    this.#isExtending = true;
    const askedAtMs = nowMs();
    try {
      await queue.setVisibility(message, Math.ceil(times.visibilityMs / 1000));
      this.#extendedAtMs = askedAtMs;
      await onExtended?.();
    } catch (error) {
      if (isGone(error))
        this.end(new MessageLost('The message is no longer held by this worker.', { cause: error }));
      else if (nowMs() - this.#extendedAtMs >= times.longestFailureMs) this.end(notExtended(error));
      else log.warn(`cannot extend the message (${codeOfAws(error)}: ${toError(error).message}); retrying`);
    } finally {
      this.#isExtending = false;
    }
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }
}

function notExtended(cause?: unknown): MessageLost {
  return new MessageLost('The message cannot be extended; another worker may have it.', { cause });
}
