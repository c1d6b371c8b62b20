export interface AcquireOptions {
  /** Higher goes first, then first come, first served. */
  readonly priority?: number;
  /** Time in ms after which `acquire` gives up; absent: it waits as long as it takes. */
  readonly waitMs?: number | null;
  /** Waiting ends with the reason of this signal when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** The right to use what a semaphore limits. `release` may be called twice; the first call counts. */
export interface Permit {
  release(): void;
}

interface Waiter {
  readonly priority: number;
  readonly enter: () => void;
}

/** Limits concurrency: at most `limit` permits are held at the same time. */
export class Semaphore {
  readonly #limit: () => number;
  #held = 0;
  #waiting: Waiter[] = [];

  /** @param limit a number, or a function that is called each time because the limit may change */
  constructor(limit: number | (() => number)) {
    this.#limit = typeof limit === 'number' ? () => limit : limit;
  }

  /** @returns null when no permit was free within `waitMs` */
  async acquire(options: AcquireOptions & { readonly waitMs: number | null }): Promise<Permit | null>;
  async acquire(options?: Omit<AcquireOptions, 'waitMs'>): Promise<Permit>;
  async acquire({ priority = 0, waitMs = null, signal }: AcquireOptions = {}): Promise<Permit | null> {
    signal?.throwIfAborted();
    if (this.#held < this.#limit() && this.#waiting.length === 0) return this.#enter();
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
      const onTimeout = (): void => {
        leave();
        resolve(null);
      };
      const waiter: Waiter = {
        priority,
        enter: () => {
          leave();
          resolve(this.#enter());
        },
      };
      const timer = waitMs === null ? undefined : setTimeout(onTimeout, waitMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      const next = this.#waiting.findIndex((other) => other.priority < priority);
      this.#waiting.splice(next < 0 ? this.#waiting.length : next, 0, waiter);
    });
  }

  #enter(): Permit {
    this.#held++;
    let isReleased = false;
    return {
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#held--;
        if (this.#held < this.#limit()) this.#waiting[0]?.enter();
      },
    };
  }
}
