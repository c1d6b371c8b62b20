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
  #firstFrame = Infinity;
  /** What `mean` returned; null: it must be computed. */
  #mean: Float32Array | null = null;

  /** Number of the frame in which the person was seen first. */
  get firstFrame(): number {
    return this.#firstFrame;
  }

  add(tracklet: Tracklet): void {
    this.tracklets.push(tracklet);
    this.#firstFrame = Math.min(this.#firstFrame, tracklet.sightings[0]?.frame ?? Infinity);
    this.#mean = null;
    for (const { frame } of tracklet.sightings) this.#frames.add(frame);
    for (const embedding of tracklet.embeddings) {
      this.#sum ??= new Float32Array(embedding.length);
      for (let i = 0; i < embedding.length; i++) this.#sum[i] = (this.#sum[i] ?? 0) + (embedding[i] ?? 0);
    }
  }

  /** The mean of all embeddings, scaled to length 1 like each of them; null if there are none. */
  mean(): Float32Array | null {
    if (this.#sum === null) return null;
    if (this.#mean !== null) return this.#mean;
    let squares = 0;
    for (const value of this.#sum) squares += value * value;
    const length = Math.sqrt(squares);
    this.#mean = this.#sum.map((value) => value / length);
    return this.#mean;
  }

  /** Whether the person is seen elsewhere in a frame of the tracklets, so that these must be somebody else's. */
  conflictsWith(tracklets: readonly Tracklet[]): boolean {
    return tracklets.some(({ sightings }) => sightings.some(({ frame }) => this.#frames.has(frame)));
  }
}
