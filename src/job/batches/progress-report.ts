import { createEtaEstimator, type EtaEstimator } from '../../observability/eta.ts';
import { formatProgress } from '../../observability/format-progress.ts';
import { passedSteps } from '../../observability/progress-steps.ts';
import type { JobContext } from '../job-context.ts';

/** The database is told this often, for `status` and the dashboard. */
const STORE_EVERY_MS = 1_000;

/**
 * Turns "so many frames are transformed" into the log's lines, one per 5 % (A8), and the figures in the database.
 * Frames that an earlier run did count as done, but say nothing about the speed of this one.
 */
export class ProgressReport {
  readonly #context: JobContext;
  readonly #framesTotal: number;
  #eta: EtaEstimator;
  #framesDone: number;
  #storedAtMs = -STORE_EVERY_MS;
  #firstEstimateAt: number | null;

  /**
   * @param framesDone frames that need no work any more
   * @param firstEstimateAt after this many frames of this run the first estimate is logged (A7)
   */
  constructor(context: JobContext, framesTotal: number, framesDone: number, firstEstimateAt: number) {
    this.#context = context;
    this.#framesTotal = framesTotal;
    this.#framesDone = framesDone;
    this.#firstEstimateAt = framesDone + firstEstimateAt;
    this.#eta = createEtaEstimator({ startedAtMs: performance.now(), framesDone });
  }

  /** @param framesDone of the whole job; a number that goes back (a batch done again) is not told */
  frames(framesDone: number): void {
    if (framesDone <= this.#framesDone) return;
    // Not the clock, which may be set.
    const now = performance.now();
    const steps = passedSteps(this.#framesDone, framesDone, this.#framesTotal);
    this.#framesDone = framesDone;
    this.#eta.record(framesDone, now);
    const firstEstimate = this.#firstEstimateAt !== null && framesDone >= this.#firstEstimateAt;
    if (firstEstimate) this.#firstEstimateAt = null;
    const line = formatProgress({ ...this.#figures(), framesTotal: this.#framesTotal });
    if (firstEstimate) this.#context.log.info(`first estimate: ${line}`);
    else if (steps.length > 0) this.#context.log.info(line);
    if (now - this.#storedAtMs >= STORE_EVERY_MS) this.#store(now);
  }

  /** Frames that a killed process had transformed were found: done, without a word about the speed. */
  found(framesDone: number): void {
    this.#framesDone = Math.max(this.#framesDone, framesDone);
    this.#eta = createEtaEstimator({ startedAtMs: performance.now(), framesDone: this.#framesDone });
  }

  /** A batch was committed, which set the count in the database back to the committed frames. */
  committed(): void {
    this.#store(performance.now());
  }

  #store(now: number): void {
    this.#storedAtMs = now;
    const { queue, lease } = this.#context;
    const { etaMs, ...figures } = this.#figures();
    queue.progress.setProgress(lease, {
      ...figures,
      etaAtMs: etaMs === null ? null : Math.round(Date.now() + etaMs),
    });
  }

  #figures(): { framesDone: number; framesPerSecond: number | null; etaMs: number | null } {
    return {
      framesDone: this.#framesDone,
      framesPerSecond: this.#eta.framesPerSecond(),
      etaMs: this.#eta.etaMs(this.#framesTotal),
    };
  }
}
