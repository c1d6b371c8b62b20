import type { UpscaleRecipe } from './recipe.ts';
import type { VideoShape } from './video-shape.ts';

/** How fast a model runs on this machine, as measured on a small image. */
export interface ModelSpeed {
  readonly engine: string;
  readonly device: 'cpu' | 'gpu';
  /** Output pixels per pixel that the model reads, along one edge. */
  readonly scale: number;
  /** Milliseconds per pixel that the model reads, if nothing else uses the device. */
  readonly msPerPixel: number;
  /** Milliseconds for loading and checking the model. */
  readonly loadMs: number;
  /** Memory that one frame may use on a GPU; null on the CPU, where it depends on what is free. */
  readonly memoryBytes: number | null;
}

/** How fast one core does what a job does beside inference. */
export interface CoreSpeed {
  /** Milliseconds per multiplication of the Lanczos filter. */
  readonly msPerProduct: number;
  /** Milliseconds per output pixel for encoding. */
  readonly msPerEncodedPixel: number;
  /** Cores that this process may use. */
  readonly cores: number;
}

/** The measured time of a job. */
export interface MeasuredTime {
  readonly frameMs: number;
  /** Time that does not depend on the number of frames. */
  readonly startMs: number;
}

/**
 * Work of a core per encoded pixel: decoding the source twice, for its index and for the frames, encoding, and decoding the
 * result twice, as a segment and as a whole; in units of encoding alone.
 */
const MEDIA_WORK = 1.9;
/**
 * Work of a split screen for a pixel of the source, which is decoded for the index and for both passes; in the same units. It fits
 * one video at 360, 720 and 1080 lines.
 */
const SPLIT_SCREEN_SOURCE_WORK = 1.3;
/**
 * CPU time of ffmpeg, which resamples the frames of `lanczos`, and of sharp, which shrinks those of a model, in relation to that of our own
 * resampler for the same multiplications: 1.0 of 25 ns for a pixel at 2x, and 9.3 of 52 ns from 4x to 3x.
 */
const BY_FFMPEG = 0.04;
const BY_SHARP = 0.18;
/** Probing, starting ffmpeg and joining, which every job does. */
const FIXED_MS = 1500;

/**
 * The time of an upscaling job. Inference overlaps with decoding and encoding, and on the CPU they share the cores.
 *
 * @param model null for `lanczos`
 * @param windowPixels pixels of a frame that the model reads, including the overlap of tiles
 */
export function measuredTime(
  recipe: Pick<UpscaleRecipe, 'pipeline' | 'scale'>,
  video: Pick<VideoShape, 'width' | 'height'>,
  { model, core, windowPixels }: { model: ModelSpeed | null; core: CoreSpeed; windowPixels: number },
): MeasuredTime {
  const pixels = video.width * video.height * recipe.scale ** 2;
  const modelMs = model === null ? 0 : windowPixels * model.msPerPixel;
  const from = model?.scale ?? 1;
  const share = model === null ? BY_FFMPEG : recipe.scale < from ? BY_SHARP : 1;
  const resampleMs = share * pixels * productsPerPixel(recipe.scale, from) * core.msPerProduct;
  const mediaMs = pixels * core.msPerEncodedPixel * MEDIA_WORK;
  const onCores = (model?.device === 'cpu' ? modelMs * core.cores : 0) + resampleMs + mediaMs;
  return {
    frameMs: Math.max(modelMs, resampleMs, onCores / core.cores),
    startMs: FIXED_MS + (model?.loadMs ?? 0),
  };
}

/**
 * The time of a split screen. Both passes use one core and overlap with decoding and encoding.
 *
 * @param sourcePixels those of a frame of the source
 * @param pixels those of a frame of the result
 */
export function splitScreenTime(
  { sourcePixels, pixels }: { readonly sourcePixels: number; readonly pixels: number },
  model: ModelSpeed,
  core: CoreSpeed,
): MeasuredTime {
  const mediaMs = (pixels * MEDIA_WORK + sourcePixels * SPLIT_SCREEN_SOURCE_WORK) * core.msPerEncodedPixel;
  const passesMs = pixels * model.msPerPixel;
  return {
    frameMs: Math.max(passesMs, (passesMs + mediaMs) / core.cores),
    startMs: FIXED_MS + model.loadMs,
  };
}

/**
 * Multiplications of the Lanczos filter for an output pixel. The model of a recipe with scale 2 gives that size itself.
 *
 * @param from scale of the image that is resampled
 */
export function productsPerPixel(scale: number, from: number): number {
  if (scale === from || (scale === 2 && from === 4)) return 0;
  const step = from / scale;
  const taps = 2 * Math.ceil(3 * Math.max(1, step));
  // Rows are blended at the width of the source, then stretched; each for three components.
  return 3 * taps * (step + 1);
}
