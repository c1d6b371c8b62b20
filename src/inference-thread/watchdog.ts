/** CPU share below which the process counts as idle: a computing thread keeps a whole core busy. */
const IDLE_SHARE = 0.05;
/** A thread that computes without a message for this many multiples of `stallMs` is in an endless loop. */
const MAX_BUSY_PERIODS = 30;
/** A timer that fires this late means that the whole process had been stopped (SIGSTOP, a suspended machine). */
const LATE_MS = 1_000;

export interface Stall {
  readonly silentMs: number;
  /** Whether the process used almost no CPU; false when it kept computing. */
  readonly isIdle: boolean;
}

export interface InferenceWatchdogOptions {
  readonly stallMs: number;
  readonly onStall: (stall: Stall) => void;
  /** CPU time used by this process so far, in ms. */
  readonly cpuMs?: () => number;
}

/**
 * Distinguishes a thread that hangs from one that computes. One tile of a large model may take minutes on a CPU, so
 * silence alone proves nothing; silence while the process uses no CPU does.
 *
 * States: idle ⇄ watching (`watch`, `rest`) → stalled, once.
 */
export class InferenceWatchdog {
  readonly #options: InferenceWatchdogOptions;
  readonly #cpuMs: () => number;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: InferenceWatchdogOptions) {
    this.#options = options;
    this.#cpuMs = options.cpuMs ?? processCpuMs;
  }

  /** Starts to watch, or starts over after a message. */
  watch(): void {
    this.rest();
    const { stallMs, onStall } = this.#options;
    let cpuMs = this.#cpuMs();
    let busyPeriods = 0;
    let dueAtMs = performance.now() + stallMs;
    this.#timer = setInterval(() => {
      const now = this.#cpuMs();
      const isLate = performance.now() - dueAtMs > LATE_MS;
      dueAtMs = performance.now() + stallMs;
      const isIdle = now - cpuMs < stallMs * IDLE_SHARE;
      cpuMs = now;
      if (isLate) return;
      if (!isIdle && ++busyPeriods < MAX_BUSY_PERIODS) return;
      this.rest();
      onStall({ silentMs: isIdle ? stallMs : busyPeriods * stallMs, isIdle });
    }, stallMs);
    this.#timer.unref();
  }

  /** Stops watching: no message is expected now. */
  rest(): void {
    clearInterval(this.#timer);
  }
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
