import type { Tracklet } from './tracklet.ts';

/** Everything that was seen of one person in the whole video. */
export interface Person {
  /** From 1, in the order of their first appearance. */
  readonly id: number;
  /** At most one of them shows the person in any frame. */
  readonly tracklets: readonly Tracklet[];
}

/** A person while tracklets are being added. */
export class PersonBuilder {
  readonly tracklets: Tracklet[] = [];
  readonly #frames = new Set<number>();
  #sum: Float32Array | null = null;
  #embeddingCount = 0;

  get embeddingCount(): number {
    return this.#embeddingCount;
  }

  /** Number of the frame in which the person was seen first. */
  get firstFrame(): number {
    return Math.min(...this.tracklets.map(({ sightings }) => sightings[0]?.frame ?? Infinity));
  }

  add(tracklet: Tracklet): void {
    this.tracklets.push(tracklet);
    for (const { frame } of tracklet.sightings) this.#frames.add(frame);
    for (const embedding of tracklet.embeddings) {
      this.#sum ??= new Float32Array(embedding.length);
      for (let i = 0; i < embedding.length; i++) this.#sum[i] = (this.#sum[i] ?? 0) + (embedding[i] ?? 0);
      this.#embeddingCount++;
    }
  }

  /** The mean of all embeddings, scaled to length 1 like each of them; null if there are none. */
  mean(): Float32Array | null {
    if (this.#sum === null) return null;
    const length = Math.hypot(...this.#sum);
    return this.#sum.map((value) => value / length);
  }

  /** Whether the person is seen elsewhere in a frame of the tracklets, so that these must be somebody else's. */
  conflictsWith(tracklets: readonly Tracklet[]): boolean {
    return tracklets.some(({ sightings }) => sightings.some(({ frame }) => this.#frames.has(frame)));
  }
}
