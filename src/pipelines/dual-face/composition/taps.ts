/** One axis of the mapping from an image to a pane, in whole pixels. */
export interface Span {
  /** The range of the image that is read, with a margin for the kernel. */
  readonly from: number;
  readonly length: number;
  /** Length of that range after scaling, and the part of it that is shown. */
  readonly scaled: number;
  readonly skip: number;
  readonly shown: number;
  /** Position of that part in the pane. */
  readonly at: number;
}

/** For each position that is shown, the weights of `count` consecutive positions of the image that begin at `first`. */
export interface Taps {
  readonly count: number;
  readonly first: Int32Array;
  /** [position, tap]; those of a position sum to 1. */
  readonly weights: Float64Array;
}

export interface Kernel {
  /** The distance from which on the weight is 0. */
  readonly reach: number;
  readonly weight: (distance: number) => number;
}

/** R. Keys, "Cubic convolution interpolation for digital image processing", 1981, with a = -1/2. */
export const CUBIC: Kernel = {
  reach: 2,
  weight: (distance) =>
    distance >= 1
      ? ((2.5 - 0.5 * distance) * distance - 4) * distance + 2
      : (1.5 * distance - 2.5) * distance ** 2 + 1,
};

/** The mean of the pixels that an output pixel covers. */
export const MEAN: Kernel = { reach: 0.5, weight: () => 1 };

/** Blurs by the given number of pixels. */
export function gaussian(sigma: number): Kernel {
  return { reach: 2 * sigma, weight: (distance) => Math.exp(-0.5 * (distance / sigma) ** 2) };
}

/**
 * The taps of a kernel, which is widened for shrinking to avoid aliasing. Positions beyond the range that is read repeat its
 * edge.
 */
export function tapsOf({ from, length, scaled, skip, shown }: Span, kernel: Kernel): Taps {
  const step = length / scaled;
  const stretch = Math.max(1, step);
  const reach = kernel.reach * stretch;
  const count = Math.min(length, Math.ceil(2 * reach));
  const first = new Int32Array(shown);
  const weights = new Float64Array(shown * count);
  for (let position = 0; position < shown; position++) {
    const center = (skip + position + 0.5) * step - 0.5;
    const lowest = Math.floor(center - reach) + 1;
    const start = Math.max(0, Math.min(length - count, lowest));
    first[position] = from + start;
    let sum = 0;
    for (let at = lowest; at < center + reach; at++) sum += kernel.weight(Math.abs(at - center) / stretch);
    for (let at = lowest; at < center + reach; at++) {
      const index = position * count + Math.max(0, Math.min(length - 1, at)) - start;
      weights[index] = (weights[index] ?? 0) + kernel.weight(Math.abs(at - center) / stretch) / sum;
    }
  }
  return { count, first, weights };
}
