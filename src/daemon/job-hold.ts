/** Jobs wait this long for measurements at most, in total; two models take a few seconds. */
const LONGEST_HOLD_MS = 30_000;

/** Keeps jobs from starting while something is measured. Pieces of work may overlap. */
export class JobHold {
  readonly #now: () => number;
  #works = 0;
  #sinceMs: number | null = null;
  #heldMs = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether jobs should wait. */
  get mustWait(): boolean {
    if (this.#sinceMs === null) return false;
    return this.#heldMs + this.#now() - this.#sinceMs < LONGEST_HOLD_MS;
  }

  /** Keeps jobs from starting until `work` has ended. */
  async during(work: () => Promise<void>): Promise<void> {
    this.#works++;
    this.#sinceMs ??= this.#now();
    try {
      await work();
    } finally {
      this.#works--;
      if (this.#works === 0) {
        this.#heldMs += this.#now() - this.#sinceMs;
        this.#sinceMs = null;
      }
    }
  }
}
