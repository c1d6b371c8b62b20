/** A timer that fires later than this shows that our own process was suspended or busy. */
const LATE_MS = 1_000;
/** Messages that were sent meanwhile arrive within this time. */
const GRACE_MS = 5_000;

/**
 * Calls `onOver` when `heard` was not called for `ms`. If our own process was suspended meanwhile (SIGSTOP, a paused
 * container), the silence proves nothing: the timer fires late, and a grace period follows.
 *
 * States: resting → waiting (`heard`) → late (the timer fired too late; once) → over; waiting, late → resting (`rest`).
 */
export class Watchdog {
  readonly #ms: number;
  readonly #onOver: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number, onOver: () => void) {
    this.#ms = ms;
    this.#onOver = onOver;
  }

  /** Starts or restarts the timer after a sign of life. */
  heard(): void {
    this.rest();
    const dueAtMs = performance.now() + this.#ms;
    this.#timer = setTimeout(() => {
      if (performance.now() - dueAtMs <= LATE_MS) this.#onOver();
      else this.#timer = setTimeout(this.#onOver, Math.min(this.#ms, GRACE_MS));
    }, this.#ms);
  }

  /** Stops the timer: nothing is expected now. */
  rest(): void {
    clearTimeout(this.#timer);
  }
}
