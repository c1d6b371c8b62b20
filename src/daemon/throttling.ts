import type { Settings } from '../config/settings.ts';
import { isTransientDatabaseError } from '../domain/transient-errors.ts';
import type { Logger } from '../observability/log-entry.ts';
import type { ControlStore } from '../queue/control-store.ts';
import type { DiskWatch } from './disk-watch.ts';
import type { GpuWatch } from './gpu-watch.ts';
import { quietSpanAt } from './quiet-hours.ts';

export interface ThrottlingOptions {
  readonly disks: Pick<DiskWatch, 'readOnly'>;
  readonly gpu: Pick<GpuWatch, 'reason'>;
  readonly control: Pick<ControlStore, 'setThrottled'>;
  readonly log: Logger;
}

const READ_ONLY_REMEDY = '; check the disk, then mount it with write permission';

/**
 * Decides when work pauses for a read-only disk, quiet hours, a busy GPU or a hot one, and reports each change in the log and
 * `status`.
 */
export class Throttling {
  readonly #options: ThrottlingOptions;
  /** The state last logged; undefined at first. */
  #logged: string | null | undefined;
  /** The state in the database; undefined at first, because the database may hold one of a killed daemon. */
  #recorded: string | null | undefined;

  constructor(options: ThrottlingOptions) {
    this.#options = options;
  }

  /** Whether work should pause now; logs and records each change. @param isWorking whether a worker is running */
  shouldPause(settings: Pick<Settings, 'throttling'>, isWorking: boolean): boolean {
    const { disks, log } = this.#options;
    const state = this.#state(settings, isWorking);
    if (state !== this.#logged) {
      const level = disks.readOnly === null ? 'info' : 'warn';
      if (state !== null) log[level](state);
      else if (typeof this.#logged === 'string')
        log.info(`resuming; was ${this.#logged.replace(READ_ONLY_REMEDY, '')}`);
      this.#logged = state;
    }
    if (state !== this.#recorded) this.#record(state);
    return state !== null;
  }

  #state({ throttling }: Pick<Settings, 'throttling'>, isWorking: boolean): string | null {
    const { disks, gpu } = this.#options;
    if (disks.readOnly !== null)
      return `paused: ${disks.readOnly} is on a read-only file system${READ_ONLY_REMEDY}`;
    const span = quietSpanAt(new Date(), throttling.quietHours);
    if (span !== null) return `paused for quiet hours until ${span.split('-')[1] ?? ''}`;
    const reason = gpu.reason(throttling, isWorking);
    return reason === null ? null : `paused: ${reason}`;
  }

  #record(state: string | null): void {
    try {
      this.#options.control.setThrottled(state);
      this.#recorded = state;
    } catch (error) {
      // The database may be on the read-only disk; the next tick tries again.
      if (state === null || !isTransientDatabaseError(error)) throw error;
    }
  }
}
