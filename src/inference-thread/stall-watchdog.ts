/** A computing thread uses a core; a process whose threads all wait uses next to nothing. */
const IDLE_SHARE = 0.05;
/** One that computes without a word for so many times the patience goes round in circles. */
const LONGEST_SILENCE = 30;
/** A round that is late by so much was late because the whole process stood still. */
const LATE_MS = 1_000;

export interface Stall {
  readonly silentMs: number;
  /** False: it computed all the time. */
  readonly isIdle: boolean;
}

export interface StallWatchdogOptions {
  readonly stallMs: number;
  readonly onStall: (stall: Stall) => void;
  /** CPU time of this process so far, in ms. */
  readonly cpuMs?: () => number;
}

/**
 * Tells a thread that hangs from one that computes. One tile of a large model may take minutes on a CPU, so silence
 * alone says nothing; silence while the process uses no CPU does.
 *
 * States: resting ⇄ watching (`watch`, `rest`) → stalled, once.
 */
export class StallWatchdog {
  readonly #options: StallWatchdogOptions;
  readonly #cpuMs: () => number;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StallWatchdogOptions) {
    this.#options = options;
    this.#cpuMs = options.cpuMs ?? processCpuMs;
  }

  /** Begins to watch, or begins anew because something was heard. */
  watch(): void {
    this.rest();
    const { stallMs, onStall } = this.#options;
    let cpuMs = this.#cpuMs();
    let silences = 0;
    let dueAtMs = performance.now() + stallMs;
    this.#timer = setInterval(() => {
      const now = this.#cpuMs();
      const isLate = performance.now() - dueAtMs > LATE_MS;
      dueAtMs = performance.now() + stallMs;
      const isIdle = now - cpuMs < stallMs * IDLE_SHARE;
      cpuMs = now;
      // This process was stopped itself, and the thread with it.
      if (isLate) return;
      if (!isIdle && ++silences < LONGEST_SILENCE) return;
      this.rest();
      onStall({ silentMs: isIdle ? stallMs : silences * stallMs, isIdle });
    }, stallMs);
    // What is watched may be all that is left; the watch alone keeps no process alive.
    this.#timer.unref();
  }

  /** Nothing is expected of the thread now. */
  rest(): void {
    clearInterval(this.#timer);
  }
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
