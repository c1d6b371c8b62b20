import { SMALLEST_TILE } from './choose-tile.ts';
import { planTiles } from './tiles.ts';

export interface GpuTileRequest {
  /** Width and height of the source in pixels. */
  readonly width: number;
  readonly height: number;
  /** Source pixels around a tile that affect its result. */
  readonly overlap: number;
  /** Memory of the model for each pixel that it sees at once. */
  readonly bytesPerPixel: number;
  /** Memory of a frame and its upscaled frame. */
  readonly frameBytes: number;
  /** GPU memory that the model may use. */
  readonly usableBytes: number;
  /** Frames that the engine keeps on the GPU at once if there is memory. */
  readonly mostLanes: number;
}

export interface GpuTile {
  /** Edge of a tile's core in source pixels; null for whole frames. */
  readonly tile: number | null;
  /** Frames on the GPU at once. */
  readonly lanes: number;
  /** Pixels that the model computes for each pixel of the frame. */
  readonly work: number;
}

/** Copies are hidden behind the work of another frame; less than a tenth of the work is not worth one frame fewer at once. */
const WORTH_A_LANE = 0.9;

/**
 * The tiles with the least work that fit on a GPU with our kernels. Cores are equal in length, so only edges that divide the frame
 * into another number of rows or columns differ. Fewer frames at once leave more memory for each, so that tiles
 * overlap less.
 */
export function chooseGpuTile(request: GpuTileRequest): GpuTile {
  const { width, height, overlap, bytesPerPixel, frameBytes, usableBytes, mostLanes } = request;
  let best: GpuTile | null = null;
  for (const tile of edgesOf(width, height)) {
    const tiles = planTiles(width, height, tile, overlap);
    const [{ window }] = tiles as [(typeof tiles)[0]];
    const pixels = window.width * window.height;
    const fitting = Math.floor(usableBytes / (pixels * bytesPerPixel + frameBytes));
    const lanes = Math.min(mostLanes, fitting);
    const work = (tiles.length * pixels) / (width * height);
    if (lanes > 0 && (best === null || isBetter({ tile, lanes, work }, best))) best = { tile, lanes, work };
  }
  if (best !== null) return best;
  const tiles = planTiles(width, height, SMALLEST_TILE, overlap);
  const pixels = tiles.reduce((sum, { window }) => sum + window.width * window.height, 0);
  return { tile: SMALLEST_TILE, lanes: 1, work: pixels / (width * height) };
}

function isBetter(one: GpuTile, other: GpuTile): boolean {
  if (one.lanes === other.lanes) return one.work < other.work;
  return one.lanes < other.lanes
    ? one.work < other.work * WORTH_A_LANE
    : one.work * WORTH_A_LANE <= other.work;
}

/** Edges that divide a frame differently, largest first; null for the whole frame. */
function edgesOf(width: number, height: number): (number | null)[] {
  const edges = new Set<number>();
  for (const length of [width, height]) {
    for (let parts = 1; length / parts >= SMALLEST_TILE; parts++) edges.add(Math.ceil(length / parts));
  }
  const whole = Math.max(width, height);
  return [null, ...[...edges].filter((edge) => edge < whole).sort((a, b) => b - a)];
}
