import type { Logger } from '../observability/log-entry.ts';

/** Whether it is time for nothing to be worked on; the log is told when that begins and when it ends. */
export class QuietHours {
  readonly #log: Logger;
  #span: string | null = null;

  constructor(log: Logger) {
    this.#log = log;
  }

  isNow(spans: readonly string[]): boolean {
    const span = quietSpanAt(new Date(), spans);
    if (span !== this.#span)
      this.#log.info(
        span === null ? 'the quiet hours are over' : `quiet hours (${span}): nothing is worked on`,
      );
    this.#span = span;
    return span !== null;
  }
}

/**
 * The span of the day that an instant falls into, such as `22:00-07:30`, or null. A span that ends before it begins goes over
 * midnight; its end is not part of it. Asked anew each time, so a jump of the clock or a sleep does no harm.
 *
 * @param spans in local time
 */
export function quietSpanAt(now: Date, spans: readonly string[]): string | null {
  const minute = 60 * now.getHours() + now.getMinutes();
  const contains = (span: string): boolean => {
    const [from = 0, to = 0] = span.split('-').map(minuteOf);
    return from < to ? from <= minute && minute < to : minute >= from || minute < to;
  };
  return spans.find(contains) ?? null;
}

function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return 60 * hours + minutes;
}
