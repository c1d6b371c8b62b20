/** A timer that is late by so much fired in a process that stood still, or was busy. */
const LATE_MS = 1_000;
/** What was heard meanwhile arrives within this time. */
const GRACE_MS = 5_000;

/**
 * Calls `onOver` when nothing was heard for `ms`. A process that was itself stopped for longer (SIGSTOP, a paused
 * container) heard nothing and has nobody to blame: its timer is late, and it listens for a little longer.
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

  /** Begins to wait, or begins anew because something was heard. */
  heard(): void {
    this.rest();
    const dueAtMs = performance.now() + this.#ms;
    this.#timer = setTimeout(() => {
      if (performance.now() - dueAtMs <= LATE_MS) this.#onOver();
      else this.#timer = setTimeout(this.#onOver, Math.min(this.#ms, GRACE_MS));
    }, this.#ms);
  }

  /** Nothing is expected now. */
  rest(): void {
    clearTimeout(this.#timer);
  }
}
