import { createEtaEstimator, type EtaEstimator } from '../../observability/eta.ts';
import { formatProgress } from '../../observability/format-progress.ts';
import { hasPassedStep } from '../../observability/progress-steps.ts';
import type { JobContext } from '../job-context.ts';

/** Shortest time between two lines of the log, so that a short clip does not print twenty lines in half a second. */
const LOG_EVERY_MS = 3_000;
/** How often progress is written to the database, for `status`. */
const STORE_EVERY_MS = 1_000;

/** One of two passes over the video. */
export interface Pass {
  /** Begins the lines of the log. */
  readonly name: 'analysing' | 'drawing';
  /** Time of what follows this pass, in times of this pass. */
  readonly followedBy: number;
}

/**
 * Turns the number of transformed frames into log lines, one for each 5 % but at most one every few seconds, and into the figures of the database. Frames
 * done by an earlier run count as done, but not towards the speed of this run.
 */
export class JobProgress {
  readonly #context: Pick<JobContext, 'queue' | 'lease' | 'log'>;
  readonly #framesTotal: number;
  readonly #pass: Pass | null;
  #eta: EtaEstimator;
  /** Frames of finished batches, committed or transformed. */
  #framesBefore: number;
  #framesDone: number;
  #storedAtMs = -STORE_EVERY_MS;
  #loggedAtMs: number;
  /** Whether a step was passed since the last line. */
  #hasPassedStep = false;
  /** Frame count at which the first estimate is logged; null once it was. */
  #firstEstimateAt: number | null;

  /**
   * @param framesDone frames that already have a checkpoint
   * @param firstEstimateAfter frames of this run after which the first estimate is logged
   * @param pass null: there is only one
   */
  constructor(
    context: Pick<JobContext, 'queue' | 'lease' | 'log'>,
    framesTotal: number,
    framesDone: number,
    firstEstimateAfter: number,
    pass: Pass | null = null,
  ) {
    this.#context = context;
    this.#framesTotal = framesTotal;
    this.#pass = pass;
    this.#framesBefore = framesDone;
    this.#framesDone = framesDone;
    this.#firstEstimateAt = framesDone + firstEstimateAfter;
    this.#loggedAtMs = performance.now();
    this.#eta = createEtaEstimator({ startedAtMs: this.#loggedAtMs, framesDone });
  }

  /** Records the progress of the current batch. @param framesReady frames of it that are transformed */
  advance(framesReady: number): void {
    this.#update(this.#framesBefore + framesReady);
  }

  /** Records that all frames of the current batch are transformed. */
  finishBatch(frameCount: number): void {
    this.#framesBefore += frameCount;
    this.#update(this.#framesBefore);
  }

  /** Records frames of the current batch that an earlier process transformed, which do not count towards the speed. */
  reuse(framesReady: number): void {
    this.#framesDone = Math.max(this.#framesDone, this.#framesBefore + framesReady);
    this.#eta = createEtaEstimator({ startedAtMs: performance.now(), framesDone: this.#framesDone });
  }

  /** Writes the figures to the database; committing a batch had set its count back to the committed frames. */
  store(): void {
    this.#store(performance.now());
  }

  #update(framesDone: number): void {
    // The count goes back when frames are transformed again after a full RAM disk.
    if (framesDone <= this.#framesDone) return;
    const nowMs = performance.now();
    this.#hasPassedStep ||= hasPassedStep(this.#framesDone, framesDone, this.#framesTotal);
    this.#framesDone = framesDone;
    this.#eta.record(framesDone, nowMs);
    const isFirstEstimate =
      this.#firstEstimateAt !== null && framesDone >= this.#firstEstimateAt && framesDone < this.#framesTotal;
    if (isFirstEstimate) this.#firstEstimateAt = null;
    const isLast = framesDone === this.#framesTotal;
    const isStepDue = this.#hasPassedStep && (isLast || nowMs - this.#loggedAtMs >= LOG_EVERY_MS);
    if (isFirstEstimate || isStepDue) {
      const progress = formatProgress({ ...this.#figures(), framesTotal: this.#framesTotal });
      const line = this.#pass === null ? progress : `${this.#pass.name} · ${progress}`;
      this.#context.log.info(isFirstEstimate ? `first estimate: ${line}` : line);
      this.#loggedAtMs = nowMs;
      this.#hasPassedStep = false;
    }
    if (nowMs - this.#storedAtMs >= STORE_EVERY_MS) this.#store(nowMs);
  }

  #store(nowMs: number): void {
    this.#storedAtMs = nowMs;
    const { queue, lease } = this.#context;
    const { etaMs, ...figures } = this.#figures();
    queue.progress.setProgress(lease, {
      ...figures,
      etaAtMs: etaMs === null ? null : Math.round(Date.now() + etaMs),
    });
  }

  #figures(): { framesDone: number; framesPerSecond: number | null; etaMs: number | null } {
    const framesPerSecond = this.#eta.framesPerSecond();
    const etaMs = this.#eta.etaMs(this.#framesTotal);
    const passMs = framesPerSecond === null ? 0 : (1000 * this.#framesTotal) / framesPerSecond;
    const laterMs = Math.round((this.#pass?.followedBy ?? 0) * passMs);
    return { framesDone: this.#framesDone, framesPerSecond, etaMs: etaMs === null ? null : etaMs + laterMs };
  }
}
