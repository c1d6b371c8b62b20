import { BLOCK, type ChangedBlocks } from './changed-blocks.ts';
import type { Area, Tile } from './tiles.ts';

/** A cut must save this share of the work on whole frames; it also keeps the number of tiles below fifty. */
const LEAST_SAVED = 0.02;
/** All cuts together must save this share, because an engine needs up to 4 % more time for the same pixels in small windows. */
const LEAST_SAVED_IN_ALL = 0.06;

interface Piece {
  readonly core: Area;
  /** Source pixels that the model has to process for this core, in all frames together. */
  readonly pixels: number;
}

/**
 * Divides the frames of a batch into tiles of which many stay the same from one frame to the next, such as black bars or
 * a background. A tile is computed if its window has changed, so tiles pay where they spare more than their overlaps
 * cost: the frame is cut in two where that saves most, then each part again, until no cut saves anything.
 *
 * @param changes of each frame of the batch except the first
 * @param overlap source pixels around a core that affect its result
 * @returns null where nothing is saved: whole frames
 */
export function divideFrames(
  changes: readonly ChangedBlocks[],
  { width, height }: { readonly width: number; readonly height: number },
  overlap: number,
): Tile[] | null {
  const windowOf = ({ x, y, ...core }: Area): Area => {
    const [left, top] = [Math.max(0, x - overlap), Math.max(0, y - overlap)];
    const [right, bottom] = [x + core.width + overlap, y + core.height + overlap];
    return { x: left, y: top, width: Math.min(width, right) - left, height: Math.min(height, bottom) - top };
  };
  const measure = (core: Area): Piece => {
    const window = windowOf(core);
    const computed = changes.reduce((count, changed) => count + (changed.within(window) ? 1 : 0), 1);
    return { core, pixels: computed * window.width * window.height };
  };
  const whole = measure({ x: 0, y: 0, width, height });
  const divide = (piece: Piece): Piece[] => {
    let least = piece.pixels - LEAST_SAVED * whole.pixels;
    let best: readonly Piece[] | null = null;
    for (const halves of cutsOf(piece.core)) {
      const pieces = halves.map(measure);
      const pixels = pieces.reduce((sum, part) => sum + part.pixels, 0);
      if (pixels >= least) continue;
      least = pixels;
      best = pieces;
    }
    return best?.flatMap(divide) ?? [piece];
  };
  const pieces = divide(whole);
  const pixels = pieces.reduce((sum, piece) => sum + piece.pixels, 0);
  if (pixels > (1 - LEAST_SAVED_IN_ALL) * whole.pixels) return null;
  return pieces.map(({ core }) => ({ core, window: windowOf(core) }));
}

/** All ways to cut an area in two, along the edges of blocks. */
function* cutsOf({ x, y, width, height }: Area): Generator<readonly [Area, Area]> {
  for (const at of cutsBetween(x, x + width))
    yield [
      { x, y, width: at - x, height },
      { x: at, y, width: x + width - at, height },
    ];
  for (const at of cutsBetween(y, y + height))
    yield [
      { x, y, width, height: at - y },
      { x, y: at, width, height: y + height - at },
    ];
}

function* cutsBetween(start: number, end: number): Generator<number> {
  const first = (Math.floor(start / BLOCK) + 1) * BLOCK;
  for (let at = first; at < end; at += BLOCK) yield at;
}
