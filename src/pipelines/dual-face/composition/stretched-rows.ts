import type { Pixels } from './pixels.ts';
import type { Taps } from './taps.ts';

/** The rows of an image, stretched to the width of the result; the last `count` of them are kept. */
export class StretchedRows {
  readonly #source: Pixels;
  readonly #columns: Taps;
  readonly #kept: { number: number; readonly values: Float32Array }[];

  constructor(source: Pixels, columns: Taps, count: number) {
    this.#source = source;
    this.#columns = columns;
    const length = columns.first.length * 3;
    this.#kept = Array.from({ length: count }, () => ({ number: -1, values: new Float32Array(length) }));
  }

  /** Consecutive rows, as many as are kept. */
  from(first: number): Float32Array[] {
    return this.#kept.map((_, i) => this.#at(first + i));
  }

  #at(number: number): Float32Array {
    const place = this.#kept[number % this.#kept.length];
    if (place === undefined) throw new RangeError('No rows are kept.');
    if (place.number !== number) stretch(this.#source, number, this.#columns, place.values);
    place.number = number;
    return place.values;
  }
}

function stretch(
  { components, width }: Pixels,
  row: number,
  { count, first, weights }: Taps,
  values: Float32Array,
): void {
  const start = row * width * 3;
  let weightAt = 0;
  for (let x = 0; x < first.length; x++) {
    let from = start + (first[x] ?? 0) * 3;
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let tap = 0; tap < count; tap++, from += 3, weightAt++) {
      const weight = weights[weightAt] ?? 0;
      red += weight * (components[from] ?? 0);
      green += weight * (components[from + 1] ?? 0);
      blue += weight * (components[from + 2] ?? 0);
    }
    values[3 * x] = red;
    values[3 * x + 1] = green;
    values[3 * x + 2] = blue;
  }
}
