/** Real and imaginary parts of a spectrum. */
export interface Spectrum {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/**
 * Discrete Fourier transform of a fixed length that need not be a power of two: it divides the length by its smallest prime
 * factor until nothing is left (Cooley and Tukey 1965). The speech features need 800 values.
 */
export class Fourier {
  readonly #length: number;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;

  constructor(length: number) {
    this.#length = length;
    this.#cos = Float64Array.from({ length }, (_, i) => Math.cos((2 * Math.PI * i) / length));
    this.#sin = Float64Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * i) / length));
  }

  /** The spectrum of `length` real values. */
  transform(values: Float64Array): Spectrum {
    return this.#part(values, 0, 1, this.#length);
  }

  /** The spectrum of every `step`-th value from `first` on, `length` in all. */
  #part(values: Float64Array, first: number, step: number, length: number): Spectrum {
    if (length === 1) return { re: Float64Array.of(values[first] ?? 0), im: new Float64Array(1) };
    const factor = smallestFactor(length);
    const partLength = length / factor;
    const parts = Array.from({ length: factor }, (_, part) =>
      this.#part(values, first + part * step, step * factor, partLength),
    );
    const re = new Float64Array(length);
    const im = new Float64Array(length);
    const turn = this.#length / length;
    for (let bin = 0; bin < length; bin++) {
      const inPart = bin % partLength;
      for (let part = 0; part < factor; part++) {
        const angle = (part * bin * turn) % this.#length;
        const [cos, sin] = [this.#cos[angle] ?? 0, -(this.#sin[angle] ?? 0)];
        const partRe = parts[part]?.re[inPart] ?? 0;
        const partIm = parts[part]?.im[inPart] ?? 0;
        re[bin] = (re[bin] ?? 0) + partRe * cos - partIm * sin;
        im[bin] = (im[bin] ?? 0) + partRe * sin + partIm * cos;
      }
    }
    return { re, im };
  }
}

function smallestFactor(length: number): number {
  for (let factor = 2; factor * factor <= length; factor++) if (length % factor === 0) return factor;
  return length;
}
