import type { Settings } from '../config/settings.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { ControlStore } from '../queue/control-store.ts';
import type { GpuWatch } from './gpu-watch.ts';
import { quietSpanAt } from './quiet-hours.ts';

export interface ThrottlingOptions {
  readonly gpu: GpuWatch;
  readonly control: Pick<ControlStore, 'setThrottled'>;
  readonly log: Logger;
}

/** Decides when work pauses for quiet hours, a busy GPU or a hot one, and reports each change in the log and `status`. */
export class Throttling {
  readonly #options: ThrottlingOptions;
  /** The state last reported; undefined at first, because the database may hold one of a killed daemon. */
  #reported: string | null | undefined;

  constructor(options: ThrottlingOptions) {
    this.#options = options;
  }

  /** Whether work should pause now; logs and records each change. @param isWorking whether a worker is running */
  shouldPause({ throttling }: Pick<Settings, 'throttling'>, isWorking: boolean): boolean {
    const { gpu, control, log } = this.#options;
    const span = quietSpanAt(new Date(), throttling.quietHours);
    const gpuReason = span === null ? gpu.reason(throttling, isWorking) : null;
    const state =
      span !== null
        ? `paused for quiet hours until ${span.split('-')[1] ?? ''}`
        : gpuReason === null
          ? null
          : `paused: ${gpuReason}`;
    if (state !== this.#reported) {
      control.setThrottled(state);
      if (state !== null) log.info(state);
      else if (typeof this.#reported === 'string') log.info(`resuming; was ${this.#reported}`);
      this.#reported = state;
    }
    return state !== null;
  }
}
