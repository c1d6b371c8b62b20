/** How much of a model one stream used. Times are measured from the request to the result. */
export interface StreamShare {
  readonly requests: number;
  readonly totalMs: number;
  readonly longestMs: number;
}

/** Counts the requests of each stream of a shared model. */
export class StreamShares {
  readonly #shares = new Map<number, StreamShare>();

  /** Number of streams that use the model. */
  get streamCount(): number {
    return this.#shares.size;
  }

  of(streamId: number): StreamShare {
    return this.#shares.get(streamId) ?? { requests: 0, totalMs: 0, longestMs: 0 };
  }

  add(streamId: number): void {
    this.#shares.set(streamId, this.of(streamId));
  }

  remove(streamId: number): void {
    this.#shares.delete(streamId);
  }

  /** Counts a request. Requests of a stream that has been removed are ignored. */
  count(streamId: number, durationMs: number): void {
    const before = this.#shares.get(streamId);
    if (before === undefined) return;
    this.#shares.set(streamId, {
      requests: before.requests + 1,
      totalMs: before.totalMs + durationMs,
      longestMs: Math.max(before.longestMs, durationMs),
    });
  }
}
