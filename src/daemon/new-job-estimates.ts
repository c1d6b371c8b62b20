import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Settings } from '../config/settings.ts';
import { toError } from '../domain/errors.ts';
import type { Job } from '../domain/job.ts';
import { describeGpuUse, type GpuUse } from '../hardware/gpu-use.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';
import type { Logger } from '../observability/log-entry.ts';
import { formatDuration } from '../observability/format-progress.ts';
import { LONG_JOB } from '../queue/event-store.ts';
import type { Queue } from '../queue/queue.ts';
import type { Estimator } from './estimator.ts';
import { fasterChoices } from './faster-choices.ts';
import type { SpeedMeter } from './speed-meter.ts';

/** How long the log line of a new job waits for the measurement of its model. */
const PATIENCE_MS = 30_000;

export interface NewJobEstimatesOptions {
  readonly estimator: Pick<Estimator, 'estimate' | 'describe'>;
  readonly speedMeter: Pick<SpeedMeter, 'installed' | 'ready'>;
  readonly queue: Pick<Queue, 'events'>;
  readonly settings: () => Pick<Settings, 'engine' | 'estimate'>;
  /** Which device models run on; null if unknown. */
  readonly gpuUse: GpuUse | null;
  readonly log: Logger;
}

/** Says how long a job will take that was just queued, and warns if that is very long. */
export class NewJobEstimates {
  readonly #options: NewJobEstimatesOptions;
  readonly #pending = new Set<Promise<void>>();

  constructor(options: NewJobEstimatesOptions) {
    this.#options = options;
  }

  /** The estimate as text. Waits a little if the model is being measured; never rejects. */
  async describe(job: Job): Promise<string> {
    const { estimator, speedMeter } = this.#options;
    try {
      const patience = new AbortController();
      await Promise.race([
        speedMeter.ready(job.recipe),
        delay(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined),
      ]);
      patience.abort();
      return await estimator.describe(job);
    } catch (error) {
      return `not estimated: ${withoutFullStop(toError(error).message)}`;
    }
  }

  /**
   * Warns once if a job will take longer than `estimate.warnAfterHours`: in the log, and as an event in its history, which
   * `status` and the page show. Nobody waits for that, because other models may have to be measured first.
   */
  warnIfLong(job: Job): void {
    const work = this.#warn(job)
      .catch((error: unknown) =>
        this.#options.log.debug(`cannot estimate job ${job.id}: ${toError(error).message}`),
      )
      .finally(() => this.#pending.delete(work));
    this.#pending.add(work);
  }

  /** Resolves when no warning is being prepared. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async #warn(job: Job): Promise<void> {
    const { estimator, settings, queue, log, gpuUse } = this.#options;
    const { warnAfterHours } = settings().estimate;
    const seconds = (await estimator.estimate(job))?.seconds ?? 0;
    if (warnAfterHours === 0 || seconds <= warnAfterHours * 3600) return;
    const isUpscale = job.recipe.pipeline === 'upscale';
    const choices = isUpscale ? await fasterChoices(job, seconds, this.#options) : null;
    const message = describeLongJob(seconds, choices, gpuUse);
    queue.events.addEvent(job.id, { atMs: Date.now(), kind: LONG_JOB, message });
    const advice = isUpscale
      ? `; to choose another recipe: framekiln cancel ${job.id}, then framekiln add with --model or --scale`
      : '';
    log.warn(`${basename(job.sourcePath)} ${message}${advice}`);
  }
}

/**
 * What to say about a job that takes long, as the rest of a sentence that begins with its name.
 *
 * @param choices what would be faster; null where nothing else was considered
 */
export function describeLongJob(
  seconds: number,
  choices: readonly string[] | null,
  gpuUse: GpuUse | null,
): string {
  const faster =
    choices?.length === 0 ? 'nothing on this machine is faster' : `faster: ${choices?.join(', ')}`;
  const gpu =
    gpuUse === null || gpuUse.code === 'used' || gpuUse.code === 'webgpu' ? [] : [describeGpuUse(gpuUse)];
  return [
    `will take about ${formatDuration(seconds * 1000)}`,
    ...(choices === null ? [] : [faster]),
    ...gpu,
  ].join('; ');
}
