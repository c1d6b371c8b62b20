/** What is recorded, in the order in which it is stored. */
export const MEASURES = [
  'processor',
  'memory',
  'gpu',
  'videoMemory',
  'encoder',
  'ramDisk',
  'freeDisk',
  'speed',
] as const;

/** One reading: shares in percent, sizes in bytes, the speed in frames per second; null where unknown. */
export type Sample = Readonly<Record<(typeof MEASURES)[number], number | null>>;

/** Spans of time that are kept, with the distance of their points. */
export const SPANS = {
  '1h': { stepSeconds: 10, count: 360 },
  '24h': { stepSeconds: 120, count: 720 },
  '7d': { stepSeconds: 900, count: 672 },
} as const;
export type Span = keyof typeof SPANS;
const SPAN_NAMES = Object.keys(SPANS) as Span[];

/** Time in seconds, then one value for each measure. */
type Point = readonly (number | null)[];

/** The points of one span. Samples of the same step are averaged. */
class Series {
  readonly #stepSeconds: number;
  readonly #count: number;
  #points: Point[] = [];
  #open: { step: number; samples: Sample[] } | null = null;

  constructor({ stepSeconds, count }: (typeof SPANS)[Span]) {
    this.#stepSeconds = stepSeconds;
    this.#count = count;
  }

  add(atSeconds: number, sample: Sample): void {
    const step = Math.floor(atSeconds / this.#stepSeconds);
    if (this.#open?.step === step) {
      this.#open.samples.push(sample);
      return;
    }
    this.#points = this.points();
    this.#open = { step, samples: [sample] };
  }

  /** All points, oldest first, with that of the present step. */
  points(): Point[] {
    const open = this.#open;
    if (open === null) return this.#points;
    const means = MEASURES.map((name) => mean(open.samples.map((sample) => sample[name])));
    return [...this.#points, [open.step * this.#stepSeconds, ...means]].slice(-this.#count);
  }

  restore(points: readonly Point[], nowSeconds: number): void {
    const oldest = nowSeconds - this.#stepSeconds * this.#count;
    this.#points = points
      .filter((point) => point.length === MEASURES.length + 1)
      // A clock that was set back would leave points of the future.
      .filter(([at]) => typeof at === 'number' && at >= oldest && at <= nowSeconds)
      .slice(-this.#count);
  }
}

/** The load of the machine over an hour, a day and a week: 1752 points at most, however long the daemon runs. */
export class MachineHistory {
  readonly #series = new Map(SPAN_NAMES.map((span) => [span, new Series(SPANS[span])]));

  add(atSeconds: number, sample: Sample): void {
    for (const series of this.#series.values()) series.add(atSeconds, sample);
  }

  /** The times of a span, and the values of each measure that was known at any of them. A gap has a point without values. */
  columns(span: Span): {
    times: number[];
    values: Partial<Record<(typeof MEASURES)[number], (number | null)[]>>;
  } {
    const points = withGaps(this.#series.get(span)?.points() ?? [], SPANS[span].stepSeconds);
    const columns = MEASURES.map((name, i) => [name, points.map((point) => point[i + 1] ?? null)] as const);
    return {
      times: points.map(([at]) => at ?? 0),
      values: Object.fromEntries(columns.filter(([, values]) => values.some((value) => value !== null))),
    };
  }

  toJson(): string {
    const stored = [...this.#series].map(([span, series]) => [span, series.points().map(rounded)]);
    return JSON.stringify({ measures: MEASURES, spans: Object.fromEntries(stored) as unknown });
  }

  /** Takes over what was stored. Anything else than that is ignored: nothing depends on it. */
  restore(text: string, nowSeconds: number): void {
    try {
      const { measures, spans } = JSON.parse(text) as { measures: unknown; spans: Record<Span, Point[]> };
      if (JSON.stringify(measures) !== JSON.stringify(MEASURES)) return;
      for (const [span, series] of this.#series) series.restore(spans[span], nowSeconds);
    } catch {
      // A torn file, or that of another version.
    }
  }
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** Five digits of each value are more than a plot shows. */
function rounded([at = null, ...values]: Point): Point {
  return [at, ...values.map((value) => (value === null ? null : Number(value.toPrecision(5))))];
}

/** Where the daemon did not run, lines are interrupted. */
function withGaps(points: readonly Point[], stepSeconds: number): Point[] {
  return points.flatMap((point, i) => {
    const before = points[i - 1]?.[0];
    const isAfterGap = before != null && (point[0] ?? 0) - before > 3 * stepSeconds;
    return isAfterGap ? [[before + stepSeconds], point] : [point];
  });
}
