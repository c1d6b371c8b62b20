import { toError } from '../domain/errors.ts';
import { readGpuLoad, type GpuLoad, type GpuProcess } from '../hardware/gpu-load.ts';

/** How often a GPU is looked at while something of ours runs, or waits for it. */
const LOOK_MS = 10_000;
/** After a driver that did not answer, or is not there (any more). */
const PATIENCE_MS = 60_000;
/** So many looks in a row: a moment's work of another program is nothing to step aside for. */
const BUSY_LOOKS = 2;
const CALM_LOOKS = 3;
/** Work goes on when a GPU that was too hot has cooled down by so many degrees. */
const COOLED_BY = 10;

export interface GpuLimits {
  /** Share of a GPU that another program may take before ours steps aside, in percent; 0: all of it. */
  readonly gpuBusyPercent: number;
  /** 0: whatever it is. */
  readonly gpuHottestCelsius: number;
}

export interface GpuWatchOptions {
  /** Whether a process belongs to this daemon. */
  readonly isOurs: (pid: number) => boolean;
  readonly onNote: (sentence: string) => void;
  /** Milliseconds by a clock that nobody sets. */
  readonly now: () => number;
}

/**
 * Whether work should wait for the GPU: another program uses it, or it is too hot. States: free → busy after two looks at
 * another program's work beside ours; free → hot at once; busy or hot → free after three calm looks.
 *
 * Whether a program is another one is known by its process id, and a driver outside of our container counts
 * processes differently. So nobody is stepped aside for before something of ours was seen on the GPU, too: a job that does not
 * use the GPU is in nobody's way. What the driver does not tell is taken for calm.
 */
export class GpuWatch {
  readonly #options: GpuWatchOptions;
  readonly #closing = new AbortController();
  #looking: Promise<void> | null = null;
  #nextLookMs = 0;
  #busyLooks = 0;
  #calmLooks = 0;
  #isHot = false;
  #reason: string | null = null;

  constructor(options: GpuWatchOptions) {
    this.#options = options;
  }

  /** Why work should wait, or null; never waits for a driver itself. */
  reason(limits: GpuLimits, isWorking: boolean): string | null {
    const { gpuBusyPercent, gpuHottestCelsius } = limits;
    if (gpuBusyPercent === 0 && gpuHottestCelsius === 0) return (this.#reason = null);
    const isOfInterest = isWorking || this.#reason !== null;
    if (isOfInterest && this.#looking === null && this.#options.now() >= this.#nextLookMs)
      this.#looking = this.#look(limits)
        .catch((error: unknown) =>
          this.#options.onNote(`the GPU could not be looked at: ${toError(error).message}`),
        )
        .finally(() => (this.#looking = null));
    return this.#reason;
  }

  /** Settles when no look is under way. */
  async settled(): Promise<void> {
    await this.#looking;
  }

  /** Breaks a look off. A driver that hangs is not waited for. */
  close(): void {
    this.#closing.abort();
  }

  async #look(limits: GpuLimits): Promise<void> {
    const { now, onNote } = this.#options;
    const { signal } = this.#closing;
    const load = await readGpuLoad(signal);
    if (signal.aborted) return;
    this.#nextLookMs = now() + LOOK_MS;
    if (typeof load === 'string') this.#nextLookMs = now() + PATIENCE_MS;
    if (load === 'silent')
      onNote('nvidia-smi does not answer; whether other programs use the GPU is not known');
    this.#judge(typeof load === 'string' ? { celsius: null, processes: [] } : load, limits);
  }

  #judge({ celsius, processes }: GpuLoad, { gpuBusyPercent, gpuHottestCelsius }: GpuLimits): void {
    const { isOurs } = this.#options;
    const isResting = this.#reason !== null;
    const limit = gpuHottestCelsius - (this.#isHot ? COOLED_BY : 0);
    this.#isHot = gpuHottestCelsius > 0 && celsius !== null && celsius >= limit;
    const other = processes
      .filter(({ pid, percent }) => gpuBusyPercent > 0 && (percent ?? 0) >= gpuBusyPercent && !isOurs(pid))
      .reduce<GpuProcess | null>(
        (most, each) => ((each.percent ?? 0) > (most?.percent ?? 0) ? each : most),
        null,
      );
    const inOurWay = other !== null && (isResting || processes.some(({ pid }) => isOurs(pid)));
    this.#busyLooks = inOurWay ? this.#busyLooks + 1 : 0;
    this.#calmLooks = inOurWay || this.#isHot ? 0 : this.#calmLooks + 1;
    if (!isResting && this.#isHot) this.#reason = `the GPU is ${celsius} °C hot`;
    else if (!isResting && other !== null && this.#busyLooks >= BUSY_LOOKS)
      this.#reason = `another program uses the GPU (${other.name}, ${other.percent ?? 0} %)`;
    else if (isResting && this.#calmLooks >= CALM_LOOKS) this.#reason = null;
  }
}
