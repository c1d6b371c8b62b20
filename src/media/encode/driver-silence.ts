import { hardwareReason, type HardwareReason } from '../../domain/hardware-reason.ts';
import { BackOff } from '../../lib/back-off.ts';

/** Pause before a silent driver is asked again; each further silence doubles it, up to an hour. */
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;

/**
 * Remembers for all jobs that the driver did not respond to a trial: each such trial takes many seconds, during which
 * nothing is encoded.
 */
export class DriverSilence {
  readonly #now: () => number;
  readonly #backOff = new BackOff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  #untilMs = -Infinity;

  /** @param now monotonic time in ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether it is too early to ask again. */
  get isNow(): boolean {
    return this.#now() < this.#untilMs;
  }

  /** @returns why NVENC does not work, null when it does: from the trial, or from memory after a silent one */
  async whyNot(trial: () => Promise<HardwareReason | null>): Promise<HardwareReason | null> {
    if (this.isNow) return hardwareReason('driver-silent');
    const reason = await trial();
    if (reason?.code === 'driver-silent') this.#untilMs = this.#now() + this.#backOff.nextMs();
    else this.#backOff.reset();
    return reason;
  }
}
