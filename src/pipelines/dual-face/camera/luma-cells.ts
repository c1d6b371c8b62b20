import type { FrameFormat } from '../../../domain/media-info.ts';

export const COLUMNS = 32;
export const ROWS = 18;
/** Samples per cell along each edge. */
const SAMPLES = 4;

/** Mean luma of evenly spaced samples of each of 32x18 cells, with BT.601 weights on gamma-coded components. */
export function cellsOf(pixels: Uint8Array | Uint16Array, { width, height }: FrameFormat): Uint8Array {
  const cells = new Uint8Array(COLUMNS * ROWS);
  const shift = pixels instanceof Uint16Array ? 8 : 0;
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      let sum = 0;
      for (let i = 0; i < SAMPLES; i++) {
        const y = Math.floor(((row + (i + 0.5) / SAMPLES) * height) / ROWS);
        for (let j = 0; j < SAMPLES; j++) {
          const x = Math.floor(((column + (j + 0.5) / SAMPLES) * width) / COLUMNS);
          const at = (y * width + x) * 3;
          sum += 77 * (pixels[at] ?? 0) + 150 * (pixels[at + 1] ?? 0) + 29 * (pixels[at + 2] ?? 0);
        }
      }
      cells[row * COLUMNS + column] = (sum / (SAMPLES * SAMPLES * 256)) >> shift;
    }
  }
  return cells;
}

/** The cells of half the resolution: 16x9. */
export function halfOf(cells: Uint8Array): Uint8Array {
  const half = new Uint8Array(cells.length / 4);
  for (let i = 0; i < half.length; i++) {
    const at = 2 * Math.floor(i / (COLUMNS / 2)) * COLUMNS + 2 * (i % (COLUMNS / 2));
    const below = at + COLUMNS;
    half[i] =
      ((cells[at] ?? 0) + (cells[at + 1] ?? 0) + (cells[below] ?? 0) + (cells[below + 1] ?? 0) + 2) >> 2;
  }
  return half;
}

/** Mean absolute difference of cells, in levels. Both have the same length. */
export function meanDifference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return sum / a.length;
}

/** Pearson's correlation of cells, -1 to 1; 1 for two images without contrast. */
export function correlation(a: Uint8Array, b: Uint8Array): number {
  const mean = (cells: Uint8Array): number => cells.reduce((sum, level) => sum + level, 0) / cells.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [product, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [(a[i] ?? 0) - meanA, (b[i] ?? 0) - meanB];
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  return squareA * squareB === 0 ? 1 : product / Math.sqrt(squareA * squareB);
}
