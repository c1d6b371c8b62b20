import { isDeepStrictEqual } from 'node:util';
import { frameBytes, type FrameFormat } from '../../domain/media-info.ts';
import type { LoadedModel, Tensor } from '../../inference/engine.ts';
import { onlyImage } from '../../inference/only-image.ts';
import { asComponents, maxComponent } from '../components.ts';
import { readPlanes, writePlanes } from './pixels.ts';
import type { Area, Tile } from './tiles.ts';

/** Upscaled frame, with what is needed to reuse parts of it for the next one. */
export interface UpscaledFrame {
  readonly pixels: Buffer;
  readonly model: LoadedModel;
  readonly tiles: readonly Tile[];
  /** Share of the frame that was copied from the previous one, 0..1. */
  readonly reusedShare: number;
}

/** The frame before, which may still be in progress. */
export interface PreviousFrame {
  readonly source: Buffer;
  /** Rejects if the frame could not be upscaled. */
  readonly upscaled: Promise<UpscaledFrame>;
}

export interface TilesToUpscale {
  readonly model: LoadedModel;
  readonly tiles: readonly Tile[];
  readonly pixels: Buffer;
  readonly input: FrameFormat;
  readonly upscaled: FrameFormat;
  /** null: every tile is computed. */
  readonly previous: PreviousFrame | null;
  readonly onTile: () => void;
}

/**
 * Upscales one frame tile by tile. A tile whose window equals that of the previous frame, byte for byte, gets a copy of
 * its result, which is what the model would give again. Throws what the model throws.
 */
export async function upscaleTiles(request: TilesToUpscale, signal: AbortSignal): Promise<UpscaledFrame> {
  const { model, tiles, pixels, input, upscaled, previous, onTile } = request;
  const target = Buffer.allocUnsafeSlow(frameBytes(upscaled));
  const compute = async (tile: Tile): Promise<void> => {
    signal.throwIfAborted();
    await upscaleTile(request, tile, target);
    onTile();
  };
  const isSame = ({ window }: Tile): boolean =>
    previous !== null && isSameArea(previous.source, pixels, window, input);
  const same = tiles.filter(isSame);
  for (const tile of tiles) if (!same.includes(tile)) await compute(tile);
  // Only now, because the previous frame may be in progress at the same time.
  const before = same.length === 0 ? null : await previous?.upscaled.catch(() => null);
  const isReusable = before?.model === model && isDeepStrictEqual(before.tiles, tiles);
  const scale = upscaled.width / input.width;
  for (const tile of same) {
    if (isReusable) copyArea(before.pixels, target, scaled(tile.core, scale), upscaled);
    else await compute(tile);
  }
  const reused = isReusable ? same.reduce((sum, { core }) => sum + core.width * core.height, 0) : 0;
  return { pixels: target, model, tiles, reusedShare: reused / (input.width * input.height) };
}

async function upscaleTile(
  { model, pixels, input, upscaled }: TilesToUpscale,
  { window, core }: Tile,
  target: Buffer,
): Promise<void> {
  const { width, height } = input;
  if (model.upscaleWindow !== undefined) {
    const bytesPerComponent = input.pixelFormat === 'rgb24' ? 1 : 2;
    await model.upscaleWindow({ frame: pixels, width, height, bytesPerComponent, target, window, core });
    return;
  }
  const max = maxComponent(input);
  const planes = new Float32Array(3 * window.width * window.height);
  readPlanes(asComponents(pixels, input), width, window, max, planes);
  const tensor: Tensor = { data: planes, shape: [1, 3, window.height, window.width] };
  const { data, shape } = onlyImage(await model.run(tensor));
  const scale = upscaled.width / width;
  writePlanes(
    { data, width: shape[3], height: shape[2] },
    scaled({ ...core, x: core.x - window.x, y: core.y - window.y }, scale),
    { x: core.x * scale, y: core.y * scale },
    asComponents(target, upscaled),
    upscaled.width,
    max,
  );
}

function isSameArea(before: Buffer, after: Buffer, area: Area, format: FrameFormat): boolean {
  for (const [start, end] of rowsOf(area, format))
    if (before.compare(after, start, end, start, end) !== 0) return false;
  return true;
}

function copyArea(from: Buffer, to: Buffer, area: Area, format: FrameFormat): void {
  for (const [start, end] of rowsOf(area, format)) from.copy(to, start, start, end);
}

/** Where the rows of an area begin and end in the bytes of a frame. */
function* rowsOf(
  { x, y, width, height }: Area,
  format: FrameFormat,
): Generator<readonly [start: number, end: number]> {
  const pixelBytes = format.pixelFormat === 'rgb24' ? 3 : 6;
  for (let row = y; row < y + height; row++) {
    const start = (row * format.width + x) * pixelBytes;
    yield [start, start + width * pixelBytes];
  }
}

function scaled({ x, y, width, height }: Area, scale: number): Area {
  return { x: x * scale, y: y * scale, width: width * scale, height: height * scale };
}
