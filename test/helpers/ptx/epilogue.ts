import { type DeviceData, Image, NO_TENSOR, Struct } from './device-data.ts';

export type Activation = 'none' | 'leaky' | 'prelu' | 'sigmoid';

export interface EpilogueOptions {
  readonly activation?: Activation;
  readonly bias?: boolean;
  /** Channels of each residual. */
  readonly residuals?: readonly number[];
  readonly actLast?: boolean;
}

const NUMBERS: Readonly<Record<Activation, number>> = { none: 0, leaky: 1, prelu: 2, sigmoid: 3 };
const SLOPE = 0.2;
const SCALES = [0.5, 1.25, -0.75] as const;

/** What happens to a sum before it is stored (DeviceEpilogue of kernels/tensor.cuh), and the same in float64. */
export class Epilogue {
  readonly struct: Struct;
  readonly #options: EpilogueOptions;
  readonly #bias: Float32Array;
  readonly #slopes: Float32Array;
  readonly #residuals: Image[];
  readonly #scale: number;

  constructor(
    data: DeviceData,
    y: Image,
    options: EpilogueOptions,
    random: (low: number, high: number) => number,
  ) {
    const { activation = 'none', bias = true, residuals = [], actLast = false } = options;
    const padded = Math.ceil(y.channels / 8) * 8;
    const perChannel = (low: number, high: number): Float32Array =>
      Float32Array.from({ length: padded }, (_, i) => (i < y.channels ? random(low, high) : NaN));
    this.#options = options;
    this.#bias = perChannel(-1, 1);
    this.#slopes = perChannel(0, 1);
    this.#residuals = residuals.map((channels) =>
      new Image(y.height, y.width, channels, 16).fill(() => random(-1, 1)).addTo(data),
    );
    this.#scale = residuals.length > 0 ? SCALES[0] : 1;
    const address = (values: Float32Array, used: boolean): bigint => (used ? data.add(values) : 0n);
    this.struct = new Struct(
      ['u64', address(this.#bias, bias)],
      ['u64', address(this.#slopes, activation === 'prelu')],
      ['struct', this.#residuals[0]?.struct ?? NO_TENSOR],
      ['struct', this.#residuals[1]?.struct ?? NO_TENSOR],
      ['f32', this.#scale],
      ['f32', SCALES[1]],
      ['f32', SCALES[2]],
      ['f32', SLOPE],
      ['i32', NUMBERS[activation]],
      ['u8', actLast ? 1 : 0],
    );
  }

  apply(sum: number, y: number, x: number, channel: number): number {
    const { bias = true, actLast = false } = this.#options;
    const value = bias ? sum + (this.#bias[channel] as number) : sum;
    let result = (actLast ? value : this.#activate(value, channel)) * this.#scale;
    this.#residuals.forEach(
      (residual, i) => (result += (SCALES[i + 1] ?? 0) * residual.padded(y, x, channel)),
    );
    return actLast ? this.#activate(result, channel) : result;
  }

  #activate(value: number, channel: number): number {
    switch (this.#options.activation ?? 'none') {
      case 'leaky':
        return value < 0 ? value * SLOPE : value;
      case 'prelu':
        return value < 0 ? value * (this.#slopes[channel] as number) : value;
      case 'sigmoid':
        return 1 / (1 + Math.exp(-value));
      case 'none':
        return value;
    }
  }
}
