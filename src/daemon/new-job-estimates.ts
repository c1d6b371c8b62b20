import { basename } from 'node:path';
import type { Settings } from '../config/settings.ts';
import type { Job } from '../domain/job.ts';
import { describeGpuUse, type GpuUse } from '../hardware/gpu-use.ts';
import type { Logger } from '../observability/log-entry.ts';
import { formatDuration } from '../observability/format-progress.ts';
import { LONG_JOB } from '../queue/event-store.ts';
import type { Queue } from '../queue/queue.ts';
import type { Estimator } from './estimator.ts';
import { fasterChoices } from './faster-choices.ts';
import type { SpeedMeter } from './speed-meter.ts';

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

  constructor(options: NewJobEstimatesOptions) {
    this.#options = options;
  }

  /** The estimate as text, after the model was measured if it had not been yet. */
  async describe(job: Job): Promise<string> {
    await this.#options.speedMeter.ready(job.recipe);
    return this.#options.estimator.describe(job);
  }

  /**
   * Warns once if a job will take longer than `estimate.warnAfterHours`: in the log, and as an event in its history, which
   * `status` and the page show.
   */
  async warnIfLong(job: Job): Promise<void> {
    const { estimator, settings, queue, log, gpuUse } = this.#options;
    const { warnAfterHours } = settings().estimate;
    const seconds = (await estimator.estimate(job))?.seconds ?? 0;
    if (warnAfterHours === 0 || seconds <= warnAfterHours * 3600) return;
    const message = describeLongJob(seconds, await fasterChoices(job, seconds, this.#options), gpuUse);
    queue.events.addEvent(job.id, { atMs: Date.now(), kind: LONG_JOB, message });
    log.warn(
      `${basename(job.sourcePath)} ${message}; to choose another recipe: framekiln cancel ${job.id}, then framekiln add with --model or --scale`,
    );
  }
}

/** What to say about a job that takes long, as the rest of a sentence that begins with its name. */
export function describeLongJob(seconds: number, choices: readonly string[], gpuUse: GpuUse | null): string {
  const faster = choices.length === 0 ? 'nothing on this machine is faster' : `faster: ${choices.join(', ')}`;
  const gpu = gpuUse === null || gpuUse.code === 'used' ? [] : [describeGpuUse(gpuUse)];
  return [`will take about ${formatDuration(seconds * 1000)}`, faster, ...gpu].join('; ');
}
