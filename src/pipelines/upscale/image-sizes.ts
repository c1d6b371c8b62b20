import { EngineError, toError } from '../../domain/errors.ts';
import type { LoadedModel } from '../../inference/engine.ts';
import { decodeModel } from '../../inference/models/onnx-model.ts';
import { onlyImage } from '../../inference/only-image.ts';

/** The images that a model takes: those of any size, of multiples of a number of pixels, or of one size only. */
export type ImageSizes =
  | { readonly kind: 'any' }
  | { readonly kind: 'multiples'; readonly of: number }
  | { readonly kind: 'fixed'; readonly width: number; readonly height: number };

/**
 * Images that are tried, with the number that divides both edges and no larger one of the list does: windows of attention
 * have 7 to 64 pixels, and U-Nets halve an image a few times. The first ones are the smallest that no model finds too small.
 */
const TRIED = [
  { of: 1, width: 37, height: 29 },
  { of: 2, width: 38, height: 30 },
  { of: 4, width: 36, height: 28 },
  { of: 7, width: 49, height: 35 },
  { of: 8, width: 40, height: 24 },
  { of: 12, width: 60, height: 36 },
  { of: 16, width: 48, height: 16 },
  { of: 24, width: 72, height: 24 },
  { of: 32, width: 96, height: 32 },
  { of: 48, width: 144, height: 48 },
  { of: 64, width: 192, height: 64 },
] as const;

/** The size that the file of a model names for its input; null if it names none. */
export function declaredSize(onnx: Uint8Array): (ImageSizes & { kind: 'fixed' }) | null {
  const { graph } = decodeModel(onnx, 'The model');
  const constants = new Set(graph.initializer.map(({ name }) => name));
  const input = graph.input.find(({ name }) => !constants.has(name));
  const [, , height = 0, width = 0] = (input?.type?.tensorType?.shape?.dim ?? []).map(
    ({ dimValue }) => dimValue ?? 0,
  );
  return width > 0 && height > 0 ? { kind: 'fixed', width, height } : null;
}

/**
 * Finds out which images a model takes by running it on small ones. A model may also take an image and return one of
 * another size, if it halves the image and rounds.
 *
 * @throws EngineError if it takes none of them
 */
export async function findSizes(model: LoadedModel): Promise<ImageSizes> {
  let why = '';
  for (const { of, width, height } of TRIED) {
    try {
      if (await takes(model, width, height)) return of === 1 ? { kind: 'any' } : { kind: 'multiples', of };
      why = `an image of ${width}x${height} pixels gave one of another shape`;
    } catch (error) {
      // A lost device or a lack of memory says nothing about the size.
      if (!(error instanceof EngineError) || error.code !== 'ENGINE_FAILED') throw error;
      // What onnxruntime says of its inner operators fills half a screen.
      why = toError(error).message.split(': ', 1)[0] ?? '';
    }
  }
  const { width, height } = TRIED[TRIED.length - 1] ?? TRIED[0];
  const what = `it takes none of the ${TRIED.length} sizes that were tried, up to ${width}x${height} pixels`;
  throw new EngineError(
    'ENGINE_FAILED',
    `${what} (${why}); export it with dynamic height and width, or with the size that it needs`,
  );
}

async function takes(model: LoadedModel, width: number, height: number): Promise<boolean> {
  const data = Float32Array.from({ length: 3 * width * height }, (_, i) => ((i * 7) % 251) / 251);
  const { shape } = onlyImage(await model.run({ data, shape: [1, 3, height, width] }));
  const scale = shape[3] / width;
  return Number.isInteger(scale) && shape[2] === height * scale;
}

/** For the log, such as `multiples of 16 pixels`; null if a model takes all sizes. */
export function describeSizes(sizes: ImageSizes): string | null {
  switch (sizes.kind) {
    case 'any':
      return null;
    case 'multiples':
      return `multiples of ${sizes.of} pixels`;
    case 'fixed':
      return `${sizes.width}x${sizes.height} pixels only`;
  }
}
