import type { Settings } from '../config/settings.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { ControlStore } from '../queue/control-store.ts';
import type { GpuWatch } from './gpu-watch.ts';
import { quietSpanAt } from './quiet-hours.ts';

export interface ThrottlingOptions {
  readonly gpu: GpuWatch;
  readonly control: Pick<ControlStore, 'setRest'>;
  readonly log: Logger;
}

/** Decides when nothing is worked on for the sake of people and programs; the log and `status` are told when that changes. */
export class Throttling {
  readonly #options: ThrottlingOptions;
  /** What `status` was told last; undefined: nothing yet, and a daemon that was killed may have left a word. */
  #said: string | null | undefined;

  constructor(options: ThrottlingOptions) {
    this.#options = options;
  }

  /** @param isWorking whether a worker runs */
  isRest({ throttling }: Pick<Settings, 'throttling'>, isWorking: boolean): boolean {
    const { gpu, control, log } = this.#options;
    const span = quietSpanAt(new Date(), throttling.quietHours);
    const reason = span === null ? gpu.reason(throttling, isWorking) : `quiet hours (${span})`;
    if (reason !== this.#said) {
      control.setRest(reason);
      if (reason !== null) log.info(`${reason}: nothing is worked on`);
      else if (typeof this.#said === 'string') log.info(`over: ${this.#said}; work goes on`);
      this.#said = reason;
    }
    return reason !== null;
  }
}
