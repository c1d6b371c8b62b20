import { counted } from '../../lib/counted.ts';
import { ModelError } from '../../domain/errors.ts';

const TAG_BYTES = 4;
const HALF_PRECISION = 0x01306b47;
const SINGLE_PRECISION = 0;

/**
 * Reads an ncnn `.bin` file sequentially: the weights of each layer in the order of the `.param` file. Kernels start with
 * a tag for the number format; biases and slopes are float32 without a tag (see ncnn's `modelbin.cpp`).
 */
export class NcnnWeights {
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Reads a tagged array of `count` numbers in half or single precision. */
  readTagged(count: number, layerName: string): Float32Array {
    const start = this.#take(TAG_BYTES, layerName);
    const tag = this.#view.getUint32(start, true);
    if (tag === SINGLE_PRECISION) return this.readFloats(count, layerName);
    if (tag === HALF_PRECISION) return this.#readHalves(count, layerName);
    const found = `have the unknown format tag 0x${tag.toString(16)}`;
    throw new ModelError('MODEL_UNREADABLE', `The weights of ${layerName} ${found}.`);
  }

  /** Reads `count` float32 numbers. */
  readFloats(count: number, layerName: string): Float32Array {
    const start = this.#take(count * 4, layerName);
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = this.#view.getFloat32(start + i * 4, true);
    return values;
  }

  /** @throws ModelError MODEL_UNREADABLE if the file has not been read completely */
  expectEnd(): void {
    const left = this.#view.byteLength - this.#offset;
    if (left === 0) return;
    throw new ModelError(
      'MODEL_UNREADABLE',
      `The ncnn .bin file has ${counted(left, 'byte')} after the weights of the last layer.`,
    );
  }

  #readHalves(count: number, layerName: string): Float32Array {
    const padded = Math.ceil((count * 2) / 4) * 4;
    const start = this.#take(padded, layerName);
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = halfToFloat(this.#view.getUint16(start + i * 2, true));
    return values;
  }

  #take(bytes: number, layerName: string): number {
    const start = this.#offset;
    if (start + bytes > this.#view.byteLength) {
      throw new ModelError('MODEL_UNREADABLE', `The ncnn .bin file ends inside the weights of ${layerName}.`);
    }
    this.#offset += bytes;
    return start;
  }
}

/** Decodes the 16 bits of an IEEE 754 half-precision number. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
