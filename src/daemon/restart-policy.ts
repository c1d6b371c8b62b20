import { BackOff } from '../lib/back-off.ts';

const FIRST_RESTART_MS = 500;
const LONGEST_RESTART_MS = 30_000;
/** A worker that ran for this long crashed for another reason than a failed start, so the back-off is reset. */
const STEADY_MS = 60_000;
/** Workers in a row that may claim no job. They take about three minutes; a program that is being updated is back by then. */
const MOST_FRUITLESS = 11;

export interface EndedWorker {
  readonly crashed: boolean;
  /** Whether the worker has claimed a job, or was asked to stop before it could. */
  readonly hasClaimed: boolean;
  readonly startedAtMs: number;
  readonly nowMs: number;
}

/**
 * Decides when the next worker may start: at once after an orderly exit, and after a growing pause when workers in a row
 * crash or claim no job although there is one. After several that claim none it gives up.
 */
export class RestartPolicy {
  readonly #backOff = new BackOff(FIRST_RESTART_MS, LONGEST_RESTART_MS);
  #restartAtMs = -Infinity;
  #fruitlessCount = 0;

  /** Whether no further worker should be started. */
  get hasGivenUp(): boolean {
    return this.#fruitlessCount >= MOST_FRUITLESS;
  }

  /** Whether a worker may start now. All times are milliseconds on a monotonic clock. */
  mayStart(nowMs: number): boolean {
    return nowMs >= this.#restartAtMs;
  }

  /** Records the end of a worker. */
  workerEnded({ crashed, hasClaimed, startedAtMs, nowMs }: EndedWorker): void {
    this.#fruitlessCount = hasClaimed ? 0 : this.#fruitlessCount + 1;
    const isFine = !crashed && hasClaimed;
    if (isFine || nowMs - startedAtMs > STEADY_MS) this.#backOff.reset();
    if (!isFine) this.#restartAtMs = nowMs + this.#backOff.nextMs();
  }
}
