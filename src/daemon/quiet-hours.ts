/**
 * The span that an instant falls into, such as `22:00-07:30`, or null. A span whose end is before its start crosses
 * midnight; the end is exclusive. Nothing is cached, so clock changes and suspends do no harm.
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
