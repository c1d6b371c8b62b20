import { frameBytes, type FrameFormat } from '../../domain/media-info.ts';
import { asComponents, maxComponent, type Components } from '../components.ts';

const LOBES = 3;

/** For each output position, the weights of `count` consecutive source positions that start at `first`. */
interface Taps {
  /** Even; if the source has fewer positions, the last ones do not exist and have weight 0. */
  readonly count: number;
  readonly first: Int32Array;
  /** [position, tap]; the weights of a position sum to 1. */
  readonly weights: Float64Array;
}

/**
 * Resamples packed RGB of 8 or 16 bits with a three-lobe Lanczos kernel, which is widened for shrinking to avoid aliasing.
 * Pixels beyond an edge repeat the edge. Both frames have the same pixel format. Returns `pixels` if the size is the same.
 *
 * sharp's `lanczos3` is not used for enlarging, because libvips 8.18 then uses a cubic kernel, half an output pixel off centre
 * (at 4x, an impulse becomes symmetric about 34.0 instead of 33.5). See `shrink` for the rest.
 */
export function resample(pixels: Buffer, from: FrameFormat, to: FrameFormat): Buffer {
  if (from.width === to.width && from.height === to.height) return pixels;
  const source = asComponents(pixels, from);
  const result = Buffer.allocUnsafeSlow(frameBytes(to));
  const target = asComponents(result, to);
  const max = maxComponent(to);
  const rowTaps = lanczosTaps(from.height, to.height);
  const columnTaps = lanczosTaps(from.width, to.width);
  const row = new Float64Array(from.width * 3);
  for (let y = 0; y < to.height; y++) {
    blendRows(source, rowTaps, y, row);
    stretchRow(row, columnTaps, max, target, y * to.width * 3);
  }
  return result;
}

/**
 * Computes a row with the output's vertical and the source's horizontal resolution. Two taps per pass make it 1.6 times
 * faster.
 */
function blendRows(source: Components, { count, first, weights }: Taps, y: number, row: Float64Array): void {
  row.fill(0);
  const start = first[y] ?? 0;
  for (let tap = 0; tap < count; tap += 2) {
    const upperWeight = weights[y * count + tap] ?? 0;
    const lowerWeight = weights[y * count + tap + 1] ?? 0;
    const upper = (start + tap) * row.length;
    const lower = upper + row.length;
    for (let i = 0; i < row.length; i++) {
      row[i] =
        (row[i] ?? 0) + upperWeight * (source[upper + i] ?? 0) + lowerWeight * (source[lower + i] ?? 0);
    }
  }
}

/** Resamples a row to the output's width and writes it, rounded, to `target` from index `to`. */
function stretchRow(
  row: Float64Array,
  { count, first, weights }: Taps,
  max: number,
  target: Components,
  to: number,
): void {
  let weightIndex = 0;
  for (let x = 0; x < first.length; x++, to += 3) {
    let from = (first[x] ?? 0) * 3;
    let red = 0.5;
    let green = 0.5;
    let blue = 0.5;
    for (let tap = 0; tap < count; tap++, from += 3, weightIndex++) {
      const weight = weights[weightIndex] ?? 0;
      red += weight * (row[from] ?? 0);
      green += weight * (row[from + 1] ?? 0);
      blue += weight * (row[from + 2] ?? 0);
    }
    target[to] = Math.min(max, Math.max(0, red));
    target[to + 1] = Math.min(max, Math.max(0, green));
    target[to + 2] = Math.min(max, Math.max(0, blue));
  }
}

function lanczosTaps(fromLength: number, toLength: number): Taps {
  const step = fromLength / toLength;
  const stretch = Math.max(1, step);
  const span = Math.ceil(2 * LOBES * stretch);
  const count = 2 * Math.ceil(Math.min(fromLength, span) / 2);
  const first = new Int32Array(toLength);
  const weights = new Float64Array(toLength * count);
  for (let position = 0; position < toLength; position++) {
    const center = (position + 0.5) * step - 0.5;
    const lowest = Math.floor(center - LOBES * stretch) + 1;
    const start = clamp(lowest, 0, Math.max(0, fromLength - count));
    first[position] = start;
    const raw = Array.from({ length: span }, (_, i) => lanczos((lowest + i - center) / stretch));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    raw.forEach((weight, i) => {
      const index = position * count + clamp(lowest + i, 0, fromLength - 1) - start;
      weights[index] = (weights[index] ?? 0) + weight / sum;
    });
  }
  return { count, first, weights };
}

/** sinc(x) sinc(x / 3) within three lobes, otherwise 0. */
function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= LOBES) return 0;
  const angle = Math.PI * x;
  return (LOBES * Math.sin(angle) * Math.sin(angle / LOBES)) / (angle * angle);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
