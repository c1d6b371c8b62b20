import type { Settings } from '../config/settings.ts';
import { estimateJob, outputPixels, rateOf, type Estimate, type PastRate } from '../domain/estimate.ts';
import type { Job } from '../domain/job.ts';
import { recipeText, type Recipe } from '../domain/recipe.ts';
import type { MeasuredTime } from '../domain/speed.ts';
import type { VideoShape } from '../domain/video-shape.ts';
import { readKnownModels } from '../inference/models/known-models.ts';
import { formatEstimate, formatNeeds } from '../observability/format-estimate.ts';
import type { Queue } from '../queue/queue.ts';
import { recipeTime } from '../trial/recipe-time.ts';
import { speedRequest, type SpeedRequest } from '../trial/speed-request.ts';
import type { Speeds } from '../trial/speeds-file.ts';
import { BATCHES_IN_FLIGHT, batchSizesFor } from '../workspace/batch-sizes.ts';
import { availableMemoryBytes } from '../workspace/memory.ts';

/** How long history, speeds and free memory are cached, because ten thousand files may be queued at once. */
const LOOK_EVERY_MS = 10_000;

export interface EstimatorOptions {
  readonly queue: { readonly history: Pick<Queue['history'], 'pastJobs'> };
  readonly settings: () => Pick<Settings, 'batch' | 'workspace' | 'engine'>;
  /** What was measured on this machine. */
  readonly speeds: () => Promise<Speeds>;
  readonly now: () => number;
}

/** What the estimates of one recipe are based on. */
interface Basis {
  readonly rate: PastRate | null;
  /** null for `lanczos`, and for a model that is missing. */
  readonly request: SpeedRequest | null;
  readonly isMissing: boolean;
}

/**
 * Estimates time, disk and memory of waiting jobs: from earlier jobs with the same recipe on this machine or, without any, from
 * the measured speed of the model.
 */
export class Estimator {
  readonly #options: EstimatorOptions;
  readonly #bases = new Map<string, Promise<Basis>>();
  #freeBytes = Promise.resolve(0);
  #speeds: Promise<Speeds> | null = null;
  #lookAtMs = -Infinity;

  constructor(options: EstimatorOptions) {
    this.#options = options;
  }

  /**
   * The estimate for a job; null if its video headers were not read when it was queued.
   *
   * @param engine other settings than those that apply, for a comparison
   */
  async estimate(
    { recipe, video }: Pick<Job, 'recipe' | 'video'>,
    engine: Settings['engine'] | null = null,
  ): Promise<Estimate | null> {
    if (video === null) return null;
    const nowMs = this.#options.now();
    if (Math.abs(nowMs - this.#lookAtMs) >= LOOK_EVERY_MS) {
      this.#lookAtMs = nowMs;
      this.#bases.clear();
      this.#speeds = null;
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
    const basis = engine === null ? await this.#basisOf(recipe) : await this.#findBasis(recipe, engine);
    const measured = basis.rate === null ? await this.#measuredTime(recipe, video, basis) : null;
    return estimateJob(recipe, video, basis.rate, measured, memoryBytes);
  }

  /** The estimate as text without a full stop. */
  async describe(job: Job): Promise<string> {
    const estimate = await this.estimate(job);
    if (estimate === null) return 'time and disk space not known yet';
    // A still image has no batch after which more would be known.
    const isUnknown = job.video?.frames === 1 && estimate.seconds === null;
    return isUnknown ? `needs ${formatNeeds(estimate)}` : formatEstimate(estimate);
  }

  /** Forgets what it has read, because something was measured. */
  forget(): void {
    this.#lookAtMs = -Infinity;
  }

  #basisOf(recipe: Recipe): Promise<Basis> {
    const key = recipeText(recipe);
    const known = this.#bases.get(key);
    if (known !== undefined) return known;
    const basis = this.#findBasis(recipe, this.#options.settings().engine);
    this.#bases.set(key, basis);
    return basis;
  }

  async #findBasis(recipe: Recipe, engine: Settings['engine']): Promise<Basis> {
    const { queue, settings } = this.#options;
    const isAsSet = engine.precision === settings().engine.precision;
    // Earlier jobs say nothing about another precision.
    const rate = isAsSet ? rateOf(recipe, queue.history.pastJobs(recipe)) : null;
    try {
      const request = await speedRequest(recipe, { engine }, await readKnownModels());
      return { rate, request, isMissing: false };
    } catch {
      // The job itself says what is wrong with its model.
      return { rate, request: null, isMissing: true };
    }
  }

  async #measuredTime(
    recipe: Recipe,
    video: VideoShape,
    { request, isMissing }: Basis,
  ): Promise<MeasuredTime | null> {
    if (isMissing) return null;
    const speeds = await (this.#speeds ??= this.#options.speeds());
    const { memoryFraction } = this.#options.settings().workspace;
    return recipeTime(recipe, video, request, speeds, (await this.#freeBytes) * (1 - memoryFraction));
  }

  #framesInMemory(
    freeBytes: number,
    frame: { readonly inputBytes: number; readonly outputBytes: number },
  ): number {
    const { batch, workspace } = this.#options.settings();
    const limit = freeBytes * workspace.memoryFraction;
    const { batchFrames } = batchSizesFor({ ...frame, isSlow: false }, limit, {
      firstBatchFrames: batch.firstFrames,
      batchFrames: batch.frames,
    });
    return Math.round((frame.inputBytes + frame.outputBytes) * batchFrames * BATCHES_IN_FLIGHT);
  }
}
