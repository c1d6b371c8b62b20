import { EngineError } from '../../domain/errors.ts';
import type { Engine, LoadedModel, ModelOutput, Tensor } from '../../inference/engine.ts';
import { onlyImage } from '../../inference/only-image.ts';
import { declaredSize, describeSizes, findSizes, type ImageSizes } from './image-sizes.ts';

/** The overlap of windows of a fixed size, if they are large enough; of smaller ones, a quarter overlaps. */
const MOST_OVERLAP = 32;

/**
 * An engine whose models take images of any size. An image that is too small for a model, or no multiple of its windows, is
 * padded with its mirror image, and the result is cropped. A model that takes one size only sees larger images in windows that overlap.
 */
export function anySizeEngine(engine: Engine): Engine {
  return {
    ...engine,
    async load(onnx, options) {
      const model = await engine.load(onnx, options);
      try {
        const sizes = declaredSize(onnx) ?? (await findSizes(model));
        return sizes.kind === 'any' ? model : new AnySizeModel(model, sizes);
      } catch (error) {
        await model.dispose();
        throw error;
      }
    },
  };
}

class AnySizeModel implements LoadedModel {
  readonly detail?: string;
  readonly sizes: string;
  readonly hasPlainKernels: boolean;
  readonly #model: LoadedModel;
  readonly #of: Exclude<ImageSizes, { kind: 'any' }>;

  constructor(model: LoadedModel, sizes: Exclude<ImageSizes, { kind: 'any' }>) {
    this.#model = model;
    this.#of = sizes;
    this.sizes = describeSizes(sizes) ?? '';
    this.hasPlainKernels = model.hasPlainKernels ?? false;
    if (model.detail !== undefined) this.detail = model.detail;
  }

  async run(input: Tensor): Promise<readonly ModelOutput[]> {
    const [, , height, width] = input.shape;
    const rows = this.#windows('height', height);
    const columns = this.#windows('width', width);
    let result: Planes | null = null;
    let name = '';
    for (const row of rows)
      for (const column of columns) {
        const outputs = await this.#model.run(windowOf(input, column, row));
        const { data, shape } = onlyImage(outputs);
        name = outputs[0]?.name ?? '';
        const scale = shape[3] / column.length;
        if (!Number.isInteger(scale) || shape[2] !== row.length * scale)
          throw new EngineError(
            'ENGINE_FAILED',
            `The model made ${shape[3]}x${shape[2]} of ${column.length}x${row.length} pixels, which is no whole scale.`,
          );
        result ??= emptyPlanes(shape[1], width * scale, height * scale);
        copyCore({ data, width: shape[3], height: shape[2] }, result, column, row, scale);
      }
    if (result === null) throw new TypeError('The image is empty.');
    return [{ name, data: result.data, shape: [1, result.count, result.height, result.width] }];
  }

  dispose(): Promise<void> {
    return this.#model.dispose();
  }

  #windows(edge: 'width' | 'height', length: number): Window[] {
    if (this.#of.kind === 'multiples') {
      const padded = Math.ceil(length / this.#of.of) * this.#of.of;
      return [{ start: 0, length: padded, coreStart: 0, coreLength: length }];
    }
    return cutInto(length, this.#of[edge]);
  }
}

/** A window along one edge of an image, and the part of it that is kept. It may extend beyond the image. */
interface Window {
  readonly start: number;
  readonly length: number;
  readonly coreStart: number;
  readonly coreLength: number;
}

/** Windows of one length that cover an edge evenly; two neighbours meet in the middle of what both see. */
export function cutInto(edge: number, length: number): Window[] {
  const overlap = Math.min(MOST_OVERLAP, Math.floor(length / 4));
  const count = edge <= length ? 1 : Math.ceil((edge - 2 * overlap) / (length - 2 * overlap));
  const startOf = (i: number): number => (count === 1 ? 0 : Math.round((i * (edge - length)) / (count - 1)));
  const borderBefore = (i: number): number => {
    if (i === 0) return 0;
    return i === count ? edge : Math.floor((startOf(i) + startOf(i - 1) + length) / 2);
  };
  return Array.from({ length: count }, (_, i) => ({
    ...{ start: startOf(i), length, coreStart: borderBefore(i) },
    coreLength: borderBefore(i + 1) - borderBefore(i),
  }));
}

interface Planes {
  readonly data: Float32Array;
  readonly count: number;
  readonly width: number;
  readonly height: number;
}

function emptyPlanes(count: number, width: number, height: number): Planes {
  return { data: new Float32Array(count * width * height), count, width, height };
}

/** What a window shows of an image; beyond its edges, the image is mirrored. */
function windowOf({ data, shape }: Tensor, column: Window, row: Window): Tensor {
  const [, channels, height, width] = shape;
  if (row.length === height && column.length === width) return { data, shape };
  const seen = new Float32Array(channels * row.length * column.length);
  let at = 0;
  for (let channel = 0; channel < channels; channel++)
    for (let y = 0; y < row.length; y++) {
      const from = (channel * height + mirrored(row.start + y, height)) * width;
      for (let x = 0; x < column.length; x++)
        seen[at++] = data[from + mirrored(column.start + x, width)] ?? 0;
    }
  return { data: seen, shape: [1, channels, row.length, column.length] };
}

/** The place in an edge of this length that a place beyond it shows; the outermost pixel is not repeated. */
function mirrored(place: number, length: number): number {
  if (length === 1) return 0;
  const around = place % (2 * (length - 1));
  return around < length ? around : 2 * (length - 1) - around;
}

function copyCore(
  from: Pick<Planes, 'data' | 'width' | 'height'>,
  to: Planes,
  column: Window,
  row: Window,
  scale: number,
): void {
  const length = column.coreLength * scale;
  const [left, top] = [(column.coreStart - column.start) * scale, (row.coreStart - row.start) * scale];
  for (let channel = 0; channel < to.count; channel++)
    for (let y = 0; y < row.coreLength * scale; y++) {
      const source = (channel * from.height + top + y) * from.width + left;
      const target = (channel * to.height + row.coreStart * scale + y) * to.width + column.coreStart * scale;
      to.data.set(from.data.subarray(source, source + length), target);
    }
}
