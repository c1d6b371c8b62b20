import type { Components } from '../../components.ts';
import type { Pixels } from './pixels.ts';
import { StretchedRows } from './stretched-rows.ts';
import { CUBIC, tapsOf, type Kernel, type Span } from './taps.ts';

/**
 * Scales a part of an image, straight into its place in another image of as many bits. Only a few rows are held in
 * between: each row that is read is stretched once, and the rows of the result are blended from stretched ones.
 *
 * @param x, y position of the result in `target`
 * @param opacity of the result over what is there
 */
export function drawScaled(
  source: Pixels,
  across: Span,
  down: Span,
  { components, width }: Pixels,
  { x, y }: { readonly x: number; readonly y: number },
  { kernel = CUBIC, opacity = 1 }: { readonly kernel?: Kernel; readonly opacity?: number } = {},
): void {
  const { count, first, weights } = tapsOf(down, kernel);
  const stretched = new StretchedRows(source, tapsOf(across, kernel), count);
  // A clamped array rounds and clamps twice as fast as we could.
  const { buffer, byteOffset, byteLength } = components;
  const bytes =
    components instanceof Uint8Array ? new Uint8ClampedArray(buffer, byteOffset, byteLength) : null;
  for (let row = 0; row < down.shown; row++) {
    const rows = stretched.from(first[row] ?? 0);
    const weightsOfRow = weights.subarray(row * count, (row + 1) * count);
    const to = ((y + row) * width + x) * 3;
    if (bytes !== null && count === 4 && opacity === 1) blendFour(rows, weightsOfRow, bytes, to);
    else blendRows(rows, weightsOfRow, bytes ?? components, to, opacity);
  }
}

/** Blends four rows into 8-bit components from index `to`. */
function blendFour(
  rows: readonly Float32Array[],
  weights: Float64Array,
  target: Uint8ClampedArray,
  to: number,
): void {
  const [a = NO_ROW, b = NO_ROW, c = NO_ROW, d = NO_ROW] = rows;
  const [wa = 0, wb = 0, wc = 0, wd = 0] = weights;
  for (let i = 0; i < a.length; i++)
    target[to + i] = wa * (a[i] ?? 0) + wb * (b[i] ?? 0) + wc * (c[i] ?? 0) + wd * (d[i] ?? 0);
}

const NO_ROW = new Float32Array(0);

/** Blends any number of rows, as for an image that is shrunk. Two rows at a time are faster than one. */
function blendRows(
  rows: readonly Float32Array[],
  weights: Float64Array,
  target: Uint8ClampedArray | Components,
  to: number,
  opacity: number,
): void {
  const sums = new Float64Array(rows[0]?.length ?? 0);
  for (let tap = 0; tap < rows.length; tap += 2) {
    const upper = rows[tap] ?? NO_ROW;
    const lower = rows[tap + 1] ?? upper;
    const upperWeight = weights[tap] ?? 0;
    const lowerWeight = weights[tap + 1] ?? 0;
    for (let i = 0; i < sums.length; i++)
      sums[i] = (sums[i] ?? 0) + upperWeight * (upper[i] ?? 0) + lowerWeight * (lower[i] ?? 0);
  }
  if (opacity !== 1)
    for (let i = 0; i < sums.length; i++) {
      const under = target[to + i] ?? 0;
      sums[i] = under + opacity * ((sums[i] ?? 0) - under);
    }
  if (target instanceof Uint8ClampedArray)
    for (let i = 0; i < sums.length; i++) target[to + i] = sums[i] ?? 0;
  else
    for (let i = 0; i < sums.length; i++)
      target[to + i] = Math.min(65_535, Math.max(0, (sums[i] ?? 0) + 0.5));
}
