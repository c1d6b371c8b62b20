import { EngineError } from '../../domain/errors.ts';
import { frameBytes, type FrameFormat } from '../../domain/media-info.ts';
import type { Engine, LoadedModel, ModelOutput, Tensor } from '../../inference/engine.ts';
import { fastestRun } from '../../inference/fastest-run.ts';
import type { Trial } from '../../inference/load-model.ts';
import { onlyImage } from '../../inference/only-image.ts';
import { asComponents, maxComponent } from '../components.ts';
import { upscaleFrame, type FrameToTile } from './upscale-frame.ts';

/** What a model made of a test frame. */
interface UpscaledFrame {
  readonly kind: Kind;
  /** Components of packed RGB in 0..1. */
  readonly values: Float32Array;
}

interface UpscaledFrames {
  readonly sizes: Sizes;
  readonly frames: readonly UpscaledFrame[];
}

type Kind = 'whole' | 'tiled';
type PixelFormat = 'rgb24' | 'rgb48le';

/** Edge of the image that shows the scale. */
const SCALE_EDGE = 16;

/**
 * Sizes of the test frames. Those for a GPU are larger than the block of any kernel and end within one. Tiles are cut
 * into three rows and columns, for which this planner and that of the CUDA addon choose the same windows: models look
 * further than the overlap used here, so that other windows would give other pixels. The frames for the CPU are smaller,
 * because the large model would need seconds on two cores, and already fill more than one group of its kernels.
 */
const SIZES = {
  gpu: { whole: { width: 150, height: 83 }, tiled: { width: 60, height: 59 }, tile: 20, overlap: 8 },
  cpu: { whole: { width: 40, height: 28 }, tiled: { width: 15, height: 14 }, tile: 5, overlap: 3 },
} as const;

/** Sizes for models that accept only multiples: all windows are multiples of 16 pixels. */
const EVEN_SIZES = {
  gpu: { whole: { width: 144, height: 80 }, tiled: { width: 48, height: 48 }, tile: 16, overlap: 8 },
  cpu: { whole: { width: 48, height: 32 }, tiled: { width: 48, height: 48 }, tile: 16, overlap: 8 },
} as const;

type Sizes = (typeof SIZES | typeof EVEN_SIZES)['gpu' | 'cpu'];

/**
 * Sizes of the frames that show the speed: a GPU needs larger ones to be busy. Multiples of 16, which all models accept that
 * accept frames of more than one size.
 */
const SPEED_SIZES = {
  gpu: { width: 304, height: 160 },
  cpu: { width: 144, height: 80 },
  small: { width: 64, height: 48 },
} as const;

/** Of each test frame, the least similarity with the CPU in decibels. Half precision reaches 50. */
const LEAST_PSNR = 45;

/** Largest difference of a component in 0..1. The integers of the CPU engine reach 0.1; a wrong pixel is further off. */
const MAX_DIFFERENCE = 0.2;

/**
 * Upscales frames of 8 and 16 bits, whole and in tiles, as jobs do: two at once, and each picture twice, because the
 * second run may reuse what the first one left.
 *
 * @param onTile called after each tile
 */
export function frameTrial(
  { device }: Pick<Engine, 'device'>,
  onTile?: () => void,
): Trial<number, UpscaledFrames> {
  const request = (sizes: Sizes, kind: Kind, pixelFormat: PixelFormat): FrameToTile => {
    const { whole, tiled, tile, overlap } = sizes;
    const format = { ...(kind === 'whole' ? whole : tiled), pixelFormat };
    return { pixels: testPicture(format), format, tile: kind === 'whole' ? null : tile, overlap };
  };
  const upscaleWith =
    (model: LoadedModel, scale: number, sizes: Sizes) =>
    async (kind: Kind, pixelFormat: PixelFormat): Promise<UpscaledFrame> => {
      const { signal } = new AbortController();
      const frame = request(sizes, kind, pixelFormat);
      const { pixels } = await upscaleFrame(model, scale, frame, signal, onTile);
      return { kind, values: valuesOf(pixels, { pixelFormat }) };
    };
  const runReference = async (model: LoadedModel, scale: number, sizes: Sizes): Promise<UpscaledFrames> => {
    const upscale = upscaleWith(model, scale, sizes);
    const whole = await upscale('whole', 'rgb48le');
    return { sizes, frames: [whole, await upscale('tiled', 'rgb48le')] };
  };
  return {
    judge: scaleOf,
    async runReference(model, scale) {
      try {
        return await runReference(model, scale, SIZES[device]);
      } catch (error) {
        if (!(error instanceof EngineError) || error.code !== 'ENGINE_FAILED') throw error;
        return runReference(model, scale, EVEN_SIZES[device]);
      }
    },
    async run(model, scale, { sizes }) {
      const upscale = upscaleWith(model, scale, sizes);
      const first = await both(upscale('whole', 'rgb24'), upscale('tiled', 'rgb48le'));
      const second = await both(upscale('tiled', 'rgb24'), upscale('whole', 'rgb48le'));
      return { sizes, frames: [...first, ...second] };
    },
    async measure(model, scale, size) {
      const format = { ...SPEED_SIZES[size === 'small' ? size : device], pixelFormat: 'rgb24' } as const;
      const frame: FrameToTile = { pixels: testPicture(format), format, tile: null, overlap: 0 };
      const { signal } = new AbortController();
      const ms = await fastestRun(() => upscaleFrame(model, scale, frame, signal, onTile));
      return ms / (format.width * format.height);
    },
    whyNotEqual(found, expected) {
      const reasons = found.frames.map(({ kind, values }) => {
        const reference = expected.frames.find((frame) => frame.kind === kind);
        return whyNotSimilar(values, reference?.values ?? new Float32Array(0));
      });
      return reasons.find((reason) => reason !== null) ?? null;
    },
  };
}

/** The scale of a model, by the size of its output for a tiny image. @throws EngineError if that is not an upscaled image */
async function scaleOf(model: LoadedModel): Promise<number> {
  const shape: Tensor['shape'] = [1, 3, SCALE_EDGE, SCALE_EDGE];
  const outputs: readonly ModelOutput[] = await model.run({
    data: new Float32Array(3 * SCALE_EDGE ** 2),
    shape,
  });
  const { shape: found } = onlyImage(outputs);
  const scale = found[3] / SCALE_EDGE;
  if (found[0] === 1 && found[1] === 3 && found[2] === found[3] && scale >= 1 && Number.isInteger(scale))
    return scale;
  const what = `the output ${found.join('x')} for a ${shape.join('x')} test image is not an upscaled image`;
  throw new EngineError('ENGINE_FAILED', what);
}

/** Waits for both, also if one fails: a model that is still running must not be disposed. */
async function both<T>(first: Promise<T>, second: Promise<T>): Promise<readonly T[]> {
  await Promise.allSettled([first, second]);
  return Promise.all([first, second]);
}

/** Why two frames are not the same up to rounding, as a clause; null if they are. */
function whyNotSimilar(found: Float32Array, expected: Float32Array): string | null {
  if (found.length !== expected.length)
    return `the result for a test frame has ${found.length} values instead of ${expected.length}`;
  let sum = 0;
  let largest = 0;
  found.forEach((value, i) => {
    const difference = Math.abs(value - (expected[i] ?? 0));
    sum += difference ** 2;
    largest = Math.max(largest, difference);
  });
  const psnr = -10 * Math.log10(sum / found.length);
  if (psnr >= LEAST_PSNR && largest <= MAX_DIFFERENCE) return null;
  return `the result for a test frame differs from that of the CPU (${psnr.toFixed(1)} dB, largest difference ${largest.toFixed(2)})`;
}

/** Slow and fast waves with steps of brightness, so that every weight affects the result. */
function testPicture(format: FrameFormat): Buffer {
  const { width } = format;
  const pixels = Buffer.alloc(frameBytes(format));
  const components = asComponents(pixels, format);
  // 65,535 = 257 * 255. Without the addition, both bytes of a component would be the same, whatever their order.
  const [unit, fraction] = format.pixelFormat === 'rgb24' ? [1, 0] : [257, 37];
  for (let i = 0; i < components.length; i++) {
    const [color, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    const waves = 0.35 * Math.sin(0.0021 * x * (y + 9) + color) * Math.cos(0.0025 * y * y - 0.11 * x);
    const step = ((x >> 3) + (y >> 3) + color) % 5 === 0 ? 0.12 : 0;
    components[i] = Math.round(255 * (0.45 + waves + step)) * unit + fraction;
  }
  return pixels;
}

function valuesOf(pixels: Buffer, format: Pick<FrameFormat, 'pixelFormat'>): Float32Array {
  const max = maxComponent(format);
  return Float32Array.from(asComponents(pixels, format), (value) => value / max);
}
