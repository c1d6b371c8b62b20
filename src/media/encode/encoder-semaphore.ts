/** What became of sessions so far. Every session that was opened is closed in the end, so `opened` is `closed` then. */
export interface PermitCounts {
  readonly opened: number;
  readonly closed: number;
  /** Of those closed: the encoding in it failed. */
  readonly failed: number;
  /** Encodings that waited in vain, or failed, and were done in software. */
  readonly fallenBack: number;
}

export interface PermitRequest {
  /** Higher goes first; then whoever came first. */
  readonly priority: number;
  /** null: as long as it takes. */
  readonly waitMs: number | null;
  readonly signal?: AbortSignal | undefined;
}

/** The right to have one session open. `close` may be called twice; the first call counts. */
export interface EncoderPermit {
  close(outcome: 'done' | 'failed'): void;
}

interface Waiter {
  readonly priority: number;
  readonly enter: () => void;
}

/**
 * The encoder sessions of the GPU as permits: never more at once than were measured (D5). Other programs have
 * sessions, too, and nobody tells us: a permit is no promise that the GPU has one left, and a session that cannot be
 * had is an outcome like any other.
 */
export class EncoderSemaphore {
  readonly #limit: () => number;
  #open = 0;
  #waiting: Waiter[] = [];
  #counts = { opened: 0, closed: 0, failed: 0, fallenBack: 0 };

  /** @param limit asked at each turn: settings change */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  get counts(): PermitCounts {
    return { ...this.#counts };
  }

  /** @returns null when none came free in time; the signal's reason is thrown when it is aborted */
  async take({ priority, waitMs, signal }: PermitRequest): Promise<EncoderPermit | null> {
    signal?.throwIfAborted();
    if (this.#open < this.#limit() && this.#waiting.length === 0) return this.#enter();
    if (waitMs === 0) return null;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
      };
      const onAbort = (): void => {
        leave();
        reject(signal?.reason as Error);
      };
      const waiter: Waiter = {
        priority,
        enter: () => {
          leave();
          resolve(this.#enter());
        },
      };
      const giveUp = (): void => {
        leave();
        resolve(null);
      };
      const timer = waitMs === null ? undefined : setTimeout(giveUp, waitMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      const behind = this.#waiting.findIndex((other) => other.priority < priority);
      this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, waiter);
    });
  }

  /** An encoding is done in software that might have been done on the GPU. */
  fellBack(): void {
    this.#counts.fallenBack++;
  }

  #enter(): EncoderPermit {
    this.#open++;
    this.#counts.opened++;
    let isClosed = false;
    return {
      close: (outcome) => {
        if (isClosed) return;
        isClosed = true;
        this.#open--;
        this.#counts.closed++;
        if (outcome === 'failed') this.#counts.failed++;
        if (this.#open < this.#limit()) this.#waiting[0]?.enter();
      },
    };
  }
}
