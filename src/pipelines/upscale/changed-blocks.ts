import type { FrameFormat } from '../../domain/media-info.ts';
import type { Area } from './tiles.ts';

/** Edge of a block in pixels. */
export const BLOCK = 16;

/** Which blocks of a frame differ from the previous frame. */
export class ChangedBlocks {
  readonly #columns: number;
  readonly #rows: number;
  /** For each corner of a block, how many blocks above and to the left of it have changed. */
  readonly #sums: Uint32Array;

  constructor(before: Buffer, after: Buffer, { width, height, pixelFormat }: FrameFormat) {
    this.#columns = Math.ceil(width / BLOCK);
    this.#rows = Math.ceil(height / BLOCK);
    this.#sums = new Uint32Array((this.#columns + 1) * (this.#rows + 1));
    const pixelBytes = pixelFormat === 'rgb24' ? 3 : 6;
    const rowBytes = width * pixelBytes;
    for (let row = 0; row < this.#rows; row++) {
      const start = row * BLOCK * rowBytes;
      const end = Math.min(height, (row + 1) * BLOCK) * rowBytes;
      this.#add(row, changedColumns(before, after, start, end, rowBytes, BLOCK * pixelBytes));
    }
  }

  /** Whether any block that the area touches has changed. */
  within({ x, y, width, height }: Area): boolean {
    const [left, top] = [Math.floor(x / BLOCK), Math.floor(y / BLOCK)];
    const [right, bottom] = [Math.ceil((x + width) / BLOCK), Math.ceil((y + height) / BLOCK)];
    const changed =
      this.#sum(right, bottom) - this.#sum(left, bottom) - this.#sum(right, top) + this.#sum(left, top);
    return changed > 0;
  }

  #sum(column: number, row: number): number {
    return this.#sums[row * (this.#columns + 1) + column] ?? 0;
  }

  #add(row: number, changed: ReadonlySet<number>): void {
    let inRow = 0;
    for (let column = 0; column < this.#columns; column++) {
      if (changed.has(column)) inRow++;
      this.#sums[(row + 1) * (this.#columns + 1) + column + 1] = this.#sum(column + 1, row) + inRow;
    }
  }
}

/** The columns of blocks with a difference, of one row of blocks. */
function changedColumns(
  before: Buffer,
  after: Buffer,
  start: number,
  end: number,
  rowBytes: number,
  blockBytes: number,
): ReadonlySet<number> {
  const changed = new Set<number>();
  if (before.compare(after, start, end, start, end) === 0) return changed;
  for (let row = start; row < end; row += rowBytes) {
    for (let column = 0; column * blockBytes < rowBytes; column++) {
      if (changed.has(column)) continue;
      const last = Math.min(rowBytes, (column + 1) * blockBytes);
      for (let at = column * blockBytes; at < last; at++) {
        if (before[row + at] === after[row + at]) continue;
        changed.add(column);
        break;
      }
    }
  }
  return changed;
}
