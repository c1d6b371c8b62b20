/** A rectangle in pixels. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A tile: the model sees its window, and its core is kept of the result. */
export interface Tile {
  readonly window: Area;
  readonly core: Area;
}

/**
 * Cuts a frame into tiles. The cores partition the frame; each window reaches `overlap` pixels beyond its core, or to
 * the frame's edge, where the model pads just as it does with the whole frame. All windows have one size, shifted
 * inward at the edges, so that an engine meets one shape only.
 *
 * @param tile largest edge of a core; null: the whole frame is one tile
 * @param overlap source pixels that an output pixel depends on, around it
 */
export function planTiles(width: number, height: number, tile: number | null, overlap: number): Tile[] {
  const columns = cut(width, tile, overlap);
  const rows = cut(height, tile, overlap);
  return rows.flatMap((row) =>
    columns.map((column) => ({
      window: {
        x: column.windowStart,
        y: row.windowStart,
        width: column.windowLength,
        height: row.windowLength,
      },
      core: { x: column.coreStart, y: row.coreStart, width: column.coreLength, height: row.coreLength },
    })),
  );
}

interface Cut {
  readonly coreStart: number;
  readonly coreLength: number;
  readonly windowStart: number;
  readonly windowLength: number;
}

function cut(length: number, tile: number | null, overlap: number): Cut[] {
  const count = tile === null ? 1 : Math.ceil(length / tile);
  const coreLength = Math.ceil(length / count);
  // Of two tiles each has a neighbour on one side only; a third has them on both.
  const neighbours = Math.min(count - 1, 2);
  const windowLength = Math.min(length, coreLength + neighbours * overlap);
  const cuts: Cut[] = [];
  for (let coreStart = 0; coreStart < length; coreStart += coreLength) {
    cuts.push({
      coreStart,
      coreLength: Math.min(coreLength, length - coreStart),
      windowStart: Math.max(0, Math.min(coreStart - overlap, length - windowLength)),
      windowLength,
    });
  }
  return cuts;
}
