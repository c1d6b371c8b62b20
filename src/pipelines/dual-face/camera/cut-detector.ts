import type { FrameFormat } from '../../../domain/media-info.ts';

/** Plain data: it is stored with the checkpoint. */
export interface CutState {
  /** Luma of the last frame's cells, one byte each. */
  readonly cells: Uint8Array;
  /** Moving average of the mean difference between neighbouring frames, in levels of 255. */
  readonly usual: number;
}

const COLUMNS = 32;
const ROWS = 18;
/** Samples of a cell along either edge. */
const SAMPLES = 4;
/** Mean difference of the cells, in levels: less is never a cut. */
const LEAST_DIFFERENCE = 16;
/** A cut differs by so many times what frames usually differ by. */
const LEAST_RATIO = 3;
/** What neighbouring frames of a still image differ by, so that the ratio is not that of noise. */
const NOISE = 1.5;
const USUAL_WEIGHT = 0.1;

/** Whether a frame begins another shot, by the mean difference of 32x18 cells' luma from the frame before. */
export function lookForCut(
  before: CutState | null,
  pixels: Uint8Array | Uint16Array,
  format: FrameFormat,
): { isCut: boolean; state: CutState } {
  const cells = cellsOf(pixels, format);
  if (before === null) return { isCut: false, state: { cells, usual: 0 } };
  let sum = 0;
  for (let i = 0; i < cells.length; i++) sum += Math.abs((cells[i] ?? 0) - (before.cells[i] ?? 0));
  const difference = sum / cells.length;
  const isCut = difference >= LEAST_DIFFERENCE && difference >= LEAST_RATIO * Math.max(NOISE, before.usual);
  // The cut itself says nothing about how the new shot moves.
  const usual = isCut ? 0 : before.usual + USUAL_WEIGHT * (difference - before.usual);
  return { isCut, state: { cells, usual } };
}

/** Mean luma (BT.601 weights, of the gamma-coded components) of samples spread over each cell. */
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
