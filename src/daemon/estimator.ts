import type { Settings } from '../config/settings.ts';
import { estimateJob, outputPixels, rateOf, type Estimate, type PastRate } from '../domain/estimate.ts';
import type { Job } from '../domain/job.ts';
import { recipeText, type Recipe } from '../domain/recipe.ts';
import { formatEstimate, formatNeeds } from '../observability/format-estimate.ts';
import type { Queue } from '../queue/queue.ts';
import { BATCHES_IN_FLIGHT, batchSizesFor } from '../workspace/batch-sizes.ts';
import { availableMemoryBytes } from '../workspace/memory.ts';

/** How long history and free memory are cached, because ten thousand files may be queued at once. */
const LOOK_EVERY_MS = 10_000;

export interface EstimatorOptions {
  readonly queue: Pick<Queue, 'history'>;
  readonly settings: () => Pick<Settings, 'batch' | 'workspace'>;
  readonly now: () => number;
}

/** Estimates time, disk and memory of waiting jobs from earlier jobs with the same recipe on this machine. */
export class Estimator {
  readonly #options: EstimatorOptions;
  readonly #rates = new Map<string, PastRate | null>();
  #freeBytes = Promise.resolve(0);
  #lookAtMs = -Infinity;

  constructor(options: EstimatorOptions) {
    this.#options = options;
  }

  /** The estimate for a job; null if its video headers were not read when it was queued. */
  async estimate({ recipe, video }: Pick<Job, 'recipe' | 'video'>): Promise<Estimate | null> {
    if (video === null) return null;
    const nowMs = this.#options.now();
    if (Math.abs(nowMs - this.#lookAtMs) >= LOOK_EVERY_MS) {
      this.#lookAtMs = nowMs;
      this.#rates.clear();
      this.#freeBytes = availableMemoryBytes();
    }
    const bytesPerPixel = video.bitsPerComponent > 8 ? 6 : 3;
    const frame = {
      inputBytes: video.width * video.height * bytesPerPixel,
      outputBytes: outputPixels(recipe, video) * bytesPerPixel,
    };
    const memoryBytes =
      video.frames === 1
        ? frame.inputBytes + frame.outputBytes
        : this.#framesInMemory(await this.#freeBytes, frame);
    return estimateJob(recipe, video, this.#rateOf(recipe), memoryBytes);
  }

  /** The estimate as text without a full stop. */
  async describe(job: Job): Promise<string> {
    const estimate = await this.estimate(job);
    if (estimate === null) return 'time and disk space not known yet';
    // A still image has no batch after which more would be known.
    const isUnknown = job.video?.frames === 1 && estimate.seconds === null;
    return isUnknown ? `needs ${formatNeeds(estimate)}` : formatEstimate(estimate);
  }

  #rateOf(recipe: Recipe): PastRate | null {
    const key = recipeText(recipe);
    const known = this.#rates.get(key);
    if (known !== undefined) return known;
    const rate = rateOf(recipe, this.#options.queue.history.pastJobs(recipe));
    this.#rates.set(key, rate);
    return rate;
  }

  #framesInMemory(
    freeBytes: number,
    frame: { readonly inputBytes: number; readonly outputBytes: number },
  ): number {
    const { batch, workspace } = this.#options.settings();
    const { batchFrames } = batchSizesFor(frame, freeBytes * workspace.memoryFraction, {
      firstBatchFrames: batch.firstFrames,
      batchFrames: batch.frames,
    });
    return Math.round((frame.inputBytes + frame.outputBytes) * batchFrames * BATCHES_IN_FLIGHT);
  }
}
