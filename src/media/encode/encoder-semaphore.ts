import { Semaphore, type AcquireOptions } from '../../lib/semaphore.ts';
import { measure } from '../../observability/measurements.ts';

/** Counts of NVENC sessions so far. In the end `closed` equals `opened`. */
export interface SessionCounts {
  readonly opened: number;
  readonly closed: number;
  /** Closed sessions whose encode failed. */
  readonly failed: number;
  /** Segments that software encoded because no session came free or the encode failed. */
  readonly fallenBack: number;
}

/** The right to have one session open. `close` may be called twice; the first call counts. */
export interface EncoderPermit {
  close(outcome: 'done' | 'failed'): void;
}

/**
 * Limits the NVENC sessions of this worker to the number that the probe has measured, and counts them. Other programs
 * use sessions as well, so a permit is no guarantee that the GPU has one left.
 */
export class EncoderSemaphore {
  readonly #semaphore: Semaphore;
  #counts = { opened: 0, closed: 0, failed: 0, fallenBack: 0 };

  /** @param limit called each time, because settings may change */
  constructor(limit: () => number) {
    this.#semaphore = new Semaphore(limit);
  }

  get counts(): SessionCounts {
    return { ...this.#counts };
  }

  /** @returns null when no session came free within `waitMs` */
  async acquire(options: AcquireOptions & { readonly waitMs: number | null }): Promise<EncoderPermit | null> {
    const permit = await this.#semaphore.acquire(options);
    if (permit === null) return null;
    this.#counts.opened++;
    let isClosed = false;
    return {
      close: (outcome) => {
        if (isClosed) return;
        isClosed = true;
        this.#counts.closed++;
        if (outcome === 'failed') this.#counts.failed++;
        permit.release();
      },
    };
  }

  /** Software encodes a segment that the GPU might have encoded. */
  fellBack(): void {
    this.#counts.fallenBack++;
    measure({ kind: 'fallback', of: 'encoder' });
  }
}
