import { frameBytes, type FrameFormat } from '../../domain/media-info.ts';
import type { LoadedModel, Tensor } from '../../inference/engine.ts';
import { onlyImage } from '../../inference/only-image.ts';
import { asComponents, maxComponent } from '../components.ts';
import { readPlanes, writePlanes } from './pixels.ts';
import { planTiles, type Area } from './tiles.ts';

export interface FrameToTile {
  readonly pixels: Buffer;
  readonly format: FrameFormat;
  /** Edge of a tile in source pixels; null: the whole frame. */
  readonly tile: number | null;
  /** Source pixels around a tile that affect its result. */
  readonly overlap: number;
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
  { pixels, format, tile, overlap }: FrameToTile,
  signal: AbortSignal,
  onTile: () => void = () => undefined,
): Promise<Buffer> {
  const { width, height } = format;
  const bytesPerComponent = format.pixelFormat === 'rgb24' ? 1 : 2;
  if (model.upscale !== undefined)
    return model.upscale({ pixels, width, height, bytesPerComponent, tile, overlap });
  const max = maxComponent(format);
  const source = asComponents(pixels, format);
  const upscaled: FrameFormat = { ...format, width: width * scale, height: height * scale };
  const result = Buffer.allocUnsafeSlow(frameBytes(upscaled));
  const target = asComponents(result, upscaled);
  for (const { window, core } of planTiles(width, height, tile, overlap)) {
    signal.throwIfAborted();
    if (model.upscaleWindow !== undefined) {
      const size = { width, height, bytesPerComponent } as const;
      await model.upscaleWindow({ ...size, frame: pixels, target: result, window, core });
      onTile();
      continue;
    }
    const planes = new Float32Array(3 * window.width * window.height);
    readPlanes(source, width, window, max, planes);
    const tensor: Tensor = { data: planes, shape: [1, 3, window.height, window.width] };
    const { data, shape } = onlyImage(await model.run(tensor));
    writePlanes(
      { data, width: shape[3], height: shape[2] },
      scaled({ ...core, x: core.x - window.x, y: core.y - window.y }, scale),
      { x: core.x * scale, y: core.y * scale },
      target,
      upscaled.width,
      max,
    );
    onTile();
  }
  return result;
}

function scaled({ x, y, width, height }: Area, scale: number): Area {
  return { x: x * scale, y: y * scale, width: width * scale, height: height * scale };
}
