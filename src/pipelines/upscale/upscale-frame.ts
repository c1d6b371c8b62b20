import type { FrameFormat } from '../../domain/media-info.ts';
import type { LoadedModel } from '../../inference/engine.ts';
import { planTiles, type Tile } from './tiles.ts';
import { upscaleTiles, type PreviousFrame, type UpscaledFrame } from './upscale-tiles.ts';

export interface FrameToTile {
  readonly pixels: Buffer;
  readonly format: FrameFormat;
  /** Edge of a tile in source pixels; null: the whole frame. */
  readonly tile: number | null;
  /** Source pixels around a tile that affect its result. */
  readonly overlap: number;
  /** Tiles of a frame that fits into memory as a whole; absent or null: the whole frame. */
  readonly division?: readonly Tile[] | null;
  /** The frame before, from which tiles that have not changed are copied; absent or null: there is none. */
  readonly previous?: PreviousFrame | null;
}

/**
 * Upscales one frame by the model's scale, whole or in tiles. An engine that does conversion and tiling itself gets the
 * whole frame.
 *
 * @param onTile called after each tile
 * @throws EngineError like `LoadedModel.run`
 */
export async function upscaleFrame(
  model: LoadedModel,
  scale: number,
  { pixels, format, tile, overlap, division = null, previous = null }: FrameToTile,
  signal: AbortSignal,
  onTile: () => void = () => undefined,
): Promise<UpscaledFrame> {
  const { width, height } = format;
  if (model.upscale !== undefined) {
    const bytesPerComponent = format.pixelFormat === 'rgb24' ? 1 : 2;
    const frame = { pixels, width, height, bytesPerComponent, tile, overlap } as const;
    return { pixels: await model.upscale(frame), model, tiles: [], reusedShare: 0 };
  }
  const upscaled: FrameFormat = { ...format, width: width * scale, height: height * scale };
  const tiles = (tile === null ? division : null) ?? planTiles(width, height, tile, overlap);
  return upscaleTiles({ model, tiles, pixels, input: format, upscaled, previous, onTile }, signal);
}
