/** Limits that are counted while decoding, whatever the header claimed (R31). */
export interface IndexLimits {
  readonly inputMegapixels: number;
  readonly hours: number;
  readonly framesPerSecond: number;
}

/** Counts the frames of a file as they come: a few bytes can claim a million of them, or a century between two. */
export class LimitGuard {
  readonly #name: string;
  readonly #limits: IndexLimits;
  #earliest = Infinity;
  #latest = -Infinity;

  constructor(name: string, limits: IndexLimits) {
    this.#name = name;
    this.#limits = limits;
  }

  /** @param count frames so far; @param atSeconds when the newest is shown. @returns a sentence, or null. */
  whyOver(count: number, atSeconds: number): string | null {
    const { hours, framesPerSecond } = this.#limits;
    this.#earliest = Math.min(this.#earliest, atSeconds);
    this.#latest = Math.max(this.#latest, atSeconds);
    const span = this.#latest - this.#earliest;
    if (span > hours * 3600)
      return `${this.#name} lasts longer than the ${hours} hours allowed (limits.hours).`;
    // A second more than it lasts: a short burst is no bomb.
    if (count <= framesPerSecond * (span + 1)) return null;
    return `${this.#name} has more than the ${framesPerSecond} frames a second allowed (limits.framesPerSecond).`;
  }
}
