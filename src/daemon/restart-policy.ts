import { BackOff } from '../lib/back-off.ts';

const FIRST_RESTART_MS = 500;
const LONGEST_RESTART_MS = 30_000;
/** A worker that ran for this long crashed for another reason than a failed start, so the back-off is reset. */
const STEADY_MS = 60_000;

/** Decides when the next worker may start: at once after an orderly exit, after a growing pause when workers crash in a row. */
export class RestartPolicy {
  readonly #backOff = new BackOff(FIRST_RESTART_MS, LONGEST_RESTART_MS);
  #restartAtMs = -Infinity;

  /** All times are milliseconds on a monotonic clock. */
  mayStart(nowMs: number): boolean {
    return nowMs >= this.#restartAtMs;
  }

  /** Records the end of a worker. */
  workerEnded({
    crashed,
    startedAtMs,
    nowMs,
  }: {
    readonly crashed: boolean;
    readonly startedAtMs: number;
    readonly nowMs: number;
  }): void {
    if (!crashed || nowMs - startedAtMs > STEADY_MS) this.#backOff.reset();
    if (crashed) this.#restartAtMs = nowMs + this.#backOff.nextMs();
  }
}
