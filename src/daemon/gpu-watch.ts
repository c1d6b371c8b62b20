import { toError } from '../domain/errors.ts';
import { readGpuLoad, type GpuLoad, type GpuProcess } from '../hardware/gpu-load.ts';

/** How often the GPU is checked while a worker runs or waits for it. */
const LOOK_MS = 10_000;
/** Pause after a check that the driver did not answer. */
const PATIENCE_MS = 60_000;
/** Consecutive checks before work pauses, so that a short burst of another program does not count. */
const BUSY_LOOKS = 2;
const CALM_LOOKS = 3;
/** Degrees Celsius by which an overheated GPU must cool down before work resumes. */
const COOLED_BY = 10;

export interface GpuLimits {
  /** Share of the GPU in percent at which the use by another program pauses work; 0: no limit. */
  readonly gpuBusyPercent: number;
  /** Temperature at which work pauses; 0: no limit. */
  readonly gpuHottestCelsius: number;
}

export interface GpuWatchOptions {
  /** Whether a process belongs to this daemon. */
  readonly isOurs: (pid: number) => boolean;
  readonly onNote: (sentence: string) => void;
  /** Milliseconds on a monotonic clock. */
  readonly now: () => number;
}

/**
 * Whether work should pause because another program uses the GPU or the GPU is too hot. States: free → busy after two
 * checks that find another program on the GPU together with ours; free → hot after one check; busy or hot → free after
 * three calm checks.
 *
 * Programs are identified by process ID, and a driver outside our container numbers processes differently. Work
 * therefore pauses only after one of our own processes was seen on the GPU. Values that the driver does not report count
 * as calm.
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

  /** Why work should pause, or null. Returns at once; the driver is queried in the background. */
  reason(limits: GpuLimits, isWorking: boolean): string | null {
    const { gpuBusyPercent, gpuHottestCelsius } = limits;
    if (gpuBusyPercent === 0 && gpuHottestCelsius === 0) return (this.#reason = null);
    const isOfInterest = isWorking || this.#reason !== null;
    if (isOfInterest && this.#looking === null && this.#options.now() >= this.#nextLookMs)
      this.#looking = this.#look(limits)
        .catch((error: unknown) => this.#options.onNote(`cannot check the GPU: ${toError(error).message}`))
        .finally(() => (this.#looking = null));
    return this.#reason;
  }

  /** Resolves when no check is running. */
  async settled(): Promise<void> {
    await this.#looking;
  }

  /** Aborts a running check without waiting for the driver. */
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
      onNote(
        'nvidia-smi failed or did not respond; cannot check the GPU temperature or whether other programs are using the GPU',
      );
    this.#judge(typeof load === 'string' ? { celsius: null, processes: [] } : load, limits);
  }

  #judge({ celsius, processes }: GpuLoad, { gpuBusyPercent, gpuHottestCelsius }: GpuLimits): void {
    const { isOurs } = this.#options;
    const isPaused = this.#reason !== null;
    const limit = gpuHottestCelsius - (this.#isHot ? COOLED_BY : 0);
    this.#isHot = gpuHottestCelsius > 0 && celsius !== null && celsius >= limit;
    const other = processes
      .filter(({ pid, percent }) => gpuBusyPercent > 0 && (percent ?? 0) >= gpuBusyPercent && !isOurs(pid))
      .reduce<GpuProcess | null>(
        (most, each) => ((each.percent ?? 0) > (most?.percent ?? 0) ? each : most),
        null,
      );
    const inOurWay = other !== null && (isPaused || processes.some(({ pid }) => isOurs(pid)));
    this.#busyLooks = inOurWay ? this.#busyLooks + 1 : 0;
    this.#calmLooks = inOurWay || this.#isHot ? 0 : this.#calmLooks + 1;
    if (!isPaused && this.#isHot)
      this.#reason = `GPU temperature reached ${celsius} °C (limit: ${gpuHottestCelsius} °C; resumes below ${gpuHottestCelsius - COOLED_BY} °C)`;
    else if (!isPaused && other !== null && this.#busyLooks >= BUSY_LOOKS)
      this.#reason = `another program is using the GPU (${other.name}, ${other.percent ?? 0} %)`;
    else if (isPaused && this.#calmLooks >= CALM_LOOKS) this.#reason = null;
  }
}
