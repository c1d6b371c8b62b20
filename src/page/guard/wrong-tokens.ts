const LIMIT = 10;
const WINDOW_MS = 60_000;
/** Addresses that are remembered; with more, the oldest is forgotten. */
const MOST_ADDRESSES = 1000;

/** Counts wrong tokens by address. After ten within a minute, the address has to wait until a minute after the first. */
export class WrongTokens {
  readonly #counts = new Map<string, { count: number; readonly sinceMs: number }>();

  /** Seconds that an address has to wait; 0 if it may try. */
  waitSeconds(address: string, nowMs: number): number {
    const found = this.#counts.get(address);
    if (found === undefined || found.count < LIMIT) return 0;
    const leftMs = found.sinceMs + WINDOW_MS - nowMs;
    return Math.max(0, Math.ceil(leftMs / 1000));
  }

  count(address: string, nowMs: number): void {
    const found = this.#counts.get(address);
    if (found !== undefined && nowMs - found.sinceMs < WINDOW_MS) {
      found.count++;
      return;
    }
    this.#counts.delete(address);
    this.#counts.set(address, { count: 1, sinceMs: nowMs });
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MOST_ADDRESSES && oldest !== undefined) this.#counts.delete(oldest);
  }
}
