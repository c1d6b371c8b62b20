interface Entry<T> {
  readonly item: T;
  /** Virtual time at which the item is served. */
  readonly startTag: number;
}

/**
 * Weighted fair queueing: streams that always have items waiting share the work by their weights, and a stream that is
 * mostly idle is served first. The items of a stream keep their order.
 *
 * The algorithm is start-time fair queueing (P. Goyal, H. Vin, H. Cheng, "Start-time fair queueing", SIGCOMM 1996).
 */
export class FairQueue<T> {
  #entries: Entry<T>[] = [];
  readonly #finishTags = new Map<number, number>();
  #virtualTime = 0;

  get size(): number {
    return this.#entries.length;
  }

  /** @param cost in any unit that is the same for all streams, such as pixels */
  push(item: T, { stream, weight, cost }: { stream: number; weight: number; cost: number }): void {
    const startTag = Math.max(this.#virtualTime, this.#finishTags.get(stream) ?? 0);
    this.#finishTags.set(stream, startTag + cost / weight);
    const next = this.#entries.findIndex((other) => other.startTag > startTag);
    this.#entries.splice(next < 0 ? this.#entries.length : next, 0, { item, startTag });
  }

  /** Number of waiting items that could be taken together with the next one, including it. */
  countWithFirst(canJoin: (first: T, other: T) => boolean): number {
    const [first] = this.#entries;
    if (first === undefined) return 0;
    return this.#entries.filter((entry) => entry === first || canJoin(first.item, entry.item)).length;
  }

  /** Takes the next item and up to `maxCount - 1` others that can join it, in order. */
  take(maxCount: number, canJoin: (first: T, other: T) => boolean): T[] {
    const [first] = this.#entries;
    if (first === undefined) return [];
    const joined = this.#entries.filter((entry) => entry === first || canJoin(first.item, entry.item));
    const taken = joined.slice(0, maxCount);
    this.#virtualTime = Math.max(this.#virtualTime, first.startTag);
    this.#entries = this.#entries.filter((entry) => !taken.includes(entry));
    return taken.map(({ item }) => item);
  }

  /** Discards the accounting of a stream that has ended. */
  forget(stream: number): void {
    this.#finishTags.delete(stream);
  }
}
