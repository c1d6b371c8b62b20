/**
 * Pauses between attempts that grow after each failure: each pause is `growth` times as long as the one before, up to a
 * limit.
 */
export class BackOff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #growth: number;
  #failures = 0;

  constructor(firstMs: number, longestMs: number, growth = 2) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#growth = growth;
  }

  /** The pause after one more failure, in ms. */
  nextMs(): number {
    return backOffMs(++this.#failures, this.#firstMs, this.#longestMs, this.#growth);
  }

  /** After a success: the next pause is the first one again. */
  reset(): void {
    this.#failures = 0;
  }
}

/** The pause after the n-th failure in a row, in ms; n counts from 1. */
export function backOffMs(failures: number, firstMs: number, longestMs: number, growth = 2): number {
  return Math.min(longestMs, firstMs * growth ** Math.max(0, failures - 1));
}
