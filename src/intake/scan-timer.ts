/** Added to each timer, because timers may fire slightly before the wall clock reaches the instant. */
const TIMER_SLACK_MS = 20;
/** The shortest pause between an event and the scan, because events come in bursts. */
const HINT_MS = 200;
/** The pause between scans of a folder without events. */
const POLLING_MS = 1000;

/** The pause between a hint that something changed and the scan: with endless events, scans take at most a sixth of the time. */
export function pauseAfterHintMs(lastScanMs: number): number {
  return Math.max(HINT_MS, 5 * lastScanMs);
}

/** What the pause between two scans depends on. */
export interface ScanPauseFacts {
  /** Whether a hint came during the last scan. */
  readonly hinted: boolean;
  /** Duration of the last scan. */
  readonly lastScanMs: number;
  /** Whether files may still be growing, or the last scan failed. */
  readonly isUnsettled: boolean;
  /** Whether the folder has no events, such as one on a network share. */
  readonly polling: boolean;
  readonly settleMs: number;
  readonly rescanMs: number;
}

/** The longest pause until the next scan. */
export function pauseAfterScanMs(facts: ScanPauseFacts): number {
  const { hinted, lastScanMs, isUnsettled, polling, settleMs, rescanMs } = facts;
  if (hinted) return pauseAfterHintMs(lastScanMs);
  if (polling) return Math.min(Math.max(POLLING_MS, pauseAfterHintMs(lastScanMs)), rescanMs);
  return isUnsettled ? Math.min(settleMs + TIMER_SLACK_MS, rescanMs) : rescanMs;
}

/** A timer for the next scan. A later request never postpones an earlier one: endless events must not defer it forever. */
export class ScanTimer {
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | undefined;
  #dueAtMs = Infinity;

  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** Sets the timer unless it is due earlier. */
  scheduleIn(ms: number): void {
    const dueAtMs = performance.now() + ms;
    if (dueAtMs >= this.#dueAtMs) return;
    clearTimeout(this.#timer);
    this.#dueAtMs = dueAtMs;
    this.#timer = setTimeout(this.#onDue, ms);
  }

  /** Clears the timer. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#dueAtMs = Infinity;
  }
}
