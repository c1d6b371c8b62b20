/** Lets a count grow up to a limit that is raised from outside. */
export class CountGate {
  #limit: number;
  #wake: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  raise(limit: number): void {
    this.#limit = Math.max(this.#limit, limit);
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }

  /** Settles once `next`, the count that the caller is about to reach, is within the limit. @throws when `signal` is aborted */
  async pass(next: number, signal: AbortSignal): Promise<void> {
    while (next > this.#limit) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}
