/** A rectangle in pixels. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A tile: the model processes its window, and only the core of the result is kept. */
export interface Tile {
  readonly window: Area;
  readonly core: Area;
}

/**
 * Divides a frame into tiles. The cores partition the frame. Each window extends `overlap` pixels beyond its core, or to
 * the edge of the frame, where the model pads as it does for the whole frame. All windows have the same size and are
 * shifted inward at the edges, so that the engine gets only one shape.
 *
 * @param tile maximum edge of a core; null: the whole frame is one tile
 * @param overlap distance in source pixels over which an output pixel depends on its surroundings
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
  // With two tiles, each has one neighbour; with three, the middle one has two.
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
