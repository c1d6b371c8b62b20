import { SILENT } from '../../domain/nvenc-reason.ts';

/** A silent driver is asked again after this time; each further silence doubles it, up to an hour. */
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;

/**
 * Remembers for all jobs that the driver did not answer a trial: each such trial lasts many seconds, in which the
 * encoder stands still.
 */
export class DriverSilence {
  readonly #now: () => number;
  #untilMs = -Infinity;
  #pauseMs = FIRST_PAUSE_MS;

  /** @param now milliseconds by a clock that nobody sets */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether it is too early to ask. */
  get isNow(): boolean {
    return this.#now() < this.#untilMs;
  }

  /** @returns why NVENC does not work, null when it does: from the trial, or from memory after a silent one */
  async whyNot(trial: () => Promise<string | null>): Promise<string | null> {
    if (this.isNow) return SILENT;
    const why = await trial();
    if (why === SILENT) {
      this.#untilMs = this.#now() + this.#pauseMs;
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    } else {
      this.#pauseMs = FIRST_PAUSE_MS;
    }
    return why;
  }
}
