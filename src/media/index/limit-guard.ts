import { counted } from '../../lib/counted.ts';

/** Limits that are enforced while decoding, whatever the header says (promise 31 in docs/promises.md). */
export interface IndexLimits {
  readonly inputMegapixels: number;
  readonly hours: number;
  readonly framesPerSecond: number;
}

/** Enforces the limits while frames arrive: a few bytes can hold a million frames, or a century between two frames. */
export class LimitGuard {
  readonly #name: string;
  readonly #limits: IndexLimits;
  #earliest = Infinity;
  #latest = -Infinity;

  constructor(name: string, limits: IndexLimits) {
    this.#name = name;
    this.#limits = limits;
  }

  /**
   * Checks the limits after another frame.
   *
   * @param count frames so far
   * @param atSeconds timestamp of the newest frame
   * @returns the error message if a limit is exceeded, else null
   */
  whyExceeded(count: number, atSeconds: number): string | null {
    const { hours, framesPerSecond } = this.#limits;
    this.#earliest = Math.min(this.#earliest, atSeconds);
    this.#latest = Math.max(this.#latest, atSeconds);
    const span = this.#latest - this.#earliest;
    if (span > hours * 3600)
      return `${this.#name} is longer than the limit of ${counted(hours, 'hour')} (limits.hours).`;
    // One second more than the duration, so that a short burst of frames passes.
    if (count <= framesPerSecond * (span + 1)) return null;
    return `${this.#name} has more than ${counted(framesPerSecond, 'frame')} per second (limits.framesPerSecond).`;
  }
}
