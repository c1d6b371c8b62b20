/**
 * Back-pressure: at most `count` holders at a time; whoever comes later waits its turn, first come, first served.
 * Waiting ends with the signal's reason when it is aborted.
 */
export class Semaphore {
  #free: number;
  readonly #waiting: { readonly enter: () => void }[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Settles when a slot is had. The caller gives it back with `give`, whatever happens. */
  async take(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(ticket), 1);
        reject(signal?.reason as Error);
      };
      const ticket = {
        enter: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      this.#waiting.push(ticket);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next.enter();
  }
}
