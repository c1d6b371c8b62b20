interface Entry<T> {
  readonly item: T;
  /** Virtual time at which its turn comes. */
  readonly startTag: number;
}

/**
 * Weighted fair queueing: of streams that always have something waiting, each gets its weight's share of the cost that is
 * served, and one that asks rarely is served at once. A stream's own items keep their order.
 *
 * Start-time fair queueing: P. Goyal, H. Vin, H. Cheng, "Start-time fair queueing", SIGCOMM 1996.
 */
export class FairQueue<T> {
  #entries: Entry<T>[] = [];
  readonly #finishTags = new Map<number, number>();
  #virtualTime = 0;

  get size(): number {
    return this.#entries.length;
  }

  /** @param cost in any unit, the same for all streams, such as pixels */
  push(item: T, { stream, weight, cost }: { stream: number; weight: number; cost: number }): void {
    const startTag = Math.max(this.#virtualTime, this.#finishTags.get(stream) ?? 0);
    this.#finishTags.set(stream, startTag + cost / weight);
    const behind = this.#entries.findIndex((other) => other.startTag > startTag);
    this.#entries.splice(behind < 0 ? this.#entries.length : behind, 0, { item, startTag });
  }

  /** How many of those that wait go with the one whose turn it is, itself included. */
  countWithFirst(goesWith: (first: T, other: T) => boolean): number {
    const [first] = this.#entries;
    if (first === undefined) return 0;
    return this.#entries.filter((entry) => entry === first || goesWith(first.item, entry.item)).length;
  }

  /** The item whose turn it is and up to `most - 1` that go with it, in the order of their turns. */
  take(most: number, goesWith: (first: T, other: T) => boolean): T[] {
    const [first] = this.#entries;
    if (first === undefined) return [];
    const alike = this.#entries.filter((entry) => entry === first || goesWith(first.item, entry.item));
    const taken = alike.slice(0, most);
    this.#virtualTime = Math.max(this.#virtualTime, first.startTag);
    this.#entries = this.#entries.filter((entry) => !taken.includes(entry));
    return taken.map(({ item }) => item);
  }

  /** A stream has ended; what it is owed or owes is forgotten. */
  forget(stream: number): void {
    this.#finishTags.delete(stream);
  }
}
