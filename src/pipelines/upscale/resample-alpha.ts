import { frameBytes, isDeep, type FrameFormat } from '../../domain/media-info.ts';
import { asComponents } from '../components.ts';
import { resample } from './resample.ts';

/** Transparency of an image with one component for each pixel, or null for an opaque image. */
interface Transparency {
  readonly alpha: Buffer | null;
  readonly width: number;
  readonly height: number;
}

/** Resamples the transparency of an image, which models do not upscale, as `resample` does with colours. */
export function resampleAlpha({ alpha, width, height }: Transparency, to: FrameFormat): Buffer | null {
  if (alpha === null) return null;
  const { pixelFormat } = to;
  const from: FrameFormat = { width, height, pixelFormat };
  const componentBytes = isDeep(pixelFormat) ? 2 : 1;
  const grey = Buffer.allocUnsafeSlow(frameBytes(from));
  for (let at = 0; at < alpha.length; at += componentBytes)
    for (let i = 0; i < 3; i++) alpha.copy(grey, 3 * at + i * componentBytes, at, at + componentBytes);
  const resampled = asComponents(resample(grey, from, to), to);
  const Component = isDeep(pixelFormat) ? Uint16Array : Uint8Array;
  const result = new Component(to.width * to.height);
  for (let pixel = 0; pixel < result.length; pixel++) result[pixel] = resampled[3 * pixel] ?? 0;
  return Buffer.from(result.buffer);
}
