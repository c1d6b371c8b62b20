import type { FrameFormat } from '../../../domain/media-info.ts';

/** Plain data that is stored in the checkpoint. */
export interface CutState {
  /** Mean luma of each cell of the last frame. */
  readonly cells: Uint8Array;
  /** Moving average of the difference between consecutive frames of the shot, in levels of 255. */
  readonly averageDifference: number;
}

const COLUMNS = 32;
const ROWS = 18;
/** Samples per cell along each edge. */
const SAMPLES = 4;
/** Minimum difference of a cut, in levels. */
const MIN_DIFFERENCE = 16;
/** Minimum ratio of a cut's difference to the average difference. */
const MIN_RATIO = 3;
/** Lower limit of the average in that ratio, because a still image has only noise. */
const NOISE = 1.5;
const AVERAGE_WEIGHT = 0.1;

/** Whether a frame starts a new shot, by the mean luma difference of 32x18 cells from the previous frame. */
export function detectCut(
  before: CutState | null,
  pixels: Uint8Array | Uint16Array,
  format: FrameFormat,
): { isCut: boolean; state: CutState } {
  const cells = cellsOf(pixels, format);
  if (before === null) return { isCut: false, state: { cells, averageDifference: 0 } };
  let sum = 0;
  for (let i = 0; i < cells.length; i++) sum += Math.abs((cells[i] ?? 0) - (before.cells[i] ?? 0));
  const difference = sum / cells.length;
  const isCut =
    difference >= MIN_DIFFERENCE && difference >= MIN_RATIO * Math.max(NOISE, before.averageDifference);
  // The difference at a cut says nothing about the motion in the new shot.
  const averageDifference = isCut
    ? 0
    : before.averageDifference + AVERAGE_WEIGHT * (difference - before.averageDifference);
  return { isCut, state: { cells, averageDifference } };
}

/** Mean luma of evenly spaced samples of each cell, with BT.601 weights on gamma-coded components. */
function cellsOf(pixels: Uint8Array | Uint16Array, { width, height }: FrameFormat): Uint8Array {
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
