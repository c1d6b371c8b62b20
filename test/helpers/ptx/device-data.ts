import { fromHalf, toHalf } from './halves.ts';
import { Memory } from './memory.ts';

/** Addresses start here, so that an offset taken for an address is outside. */
const BASE = 1 << 20;
const ALIGNMENT = 256;

/** Puts arrays into the memory of a GPU, with a gap between them. */
export class DeviceData {
  readonly #parts: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  #end = 0;

  /** The address of a copy. */
  add(values: Uint16Array | Float32Array | Uint8Array): bigint {
    const offset = this.#end;
    this.#parts.push({ offset, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) });
    this.#end = (Math.ceil((offset + values.byteLength) / ALIGNMENT) + 1) * ALIGNMENT;
    return BigInt(BASE + offset);
  }

  memory(): Memory {
    const memory = new Memory('global', this.#end, BASE);
    for (const { offset, bytes } of this.#parts) memory.bytes.set(bytes, offset);
    return memory;
  }
}

export function offsetOf(address: bigint): number {
  return Number(address) - BASE;
}

type Field = readonly ['u64', bigint] | readonly ['i32' | 'f32' | 'u8', number] | readonly ['struct', Struct];

/** The bytes of a C++ struct, each field aligned to its size. */
export class Struct {
  readonly bytes: Uint8Array;
  readonly alignment: number;

  constructor(...fields: readonly Field[]) {
    const bytes = new Uint8Array(512);
    const view = new DataView(bytes.buffer);
    let end = 0;
    let alignment = 1;
    for (const [type, value] of fields) {
      const size = type === 'struct' ? value.bytes.length : { u64: 8, i32: 4, f32: 4, u8: 1 }[type];
      const own = type === 'struct' ? value.alignment : size;
      const at = Math.ceil(end / own) * own;
      if (type === 'struct') bytes.set(value.bytes, at);
      if (type === 'u64') view.setBigUint64(at, value, true);
      if (type === 'i32') view.setInt32(at, value, true);
      if (type === 'f32') view.setFloat32(at, value, true);
      if (type === 'u8') view.setUint8(at, value);
      end = at + size;
      alignment = Math.max(alignment, own);
    }
    this.alignment = alignment;
    this.bytes = bytes.slice(0, Math.ceil(end / alignment) * alignment);
  }
}

/** An image of halves among other channels of its slot: kernels/tensor.cuh. */
export class Image {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly pitch: number;
  readonly first: number;
  readonly halves: Uint16Array;
  #address = 0n;

  constructor(height: number, width: number, channels: number, others = 8) {
    [this.height, this.width, this.channels] = [height, width, channels];
    this.first = others;
    this.pitch = Math.ceil(channels / 8) * 8 + others;
    this.halves = new Uint16Array(height * width * this.pitch).fill(0xffff);
  }

  fill(random: () => number): this {
    this.halves.forEach((_, i) => {
      const channel = (i % this.pitch) - this.first;
      if (channel >= 0 && channel < this.channels) this.halves[i] = toHalf(random());
    });
    return this;
  }

  addTo(data: DeviceData): this {
    this.#address = data.add(this.halves);
    return this;
  }

  at(y: number, x: number, channel: number, halves = this.halves): number {
    return fromHalf(halves[(y * this.width + x) * this.pitch + this.first + channel] as number);
  }

  /** The value, or zero outside of the image. */
  padded(y: number, x: number, channel: number): number {
    const inside = y >= 0 && y < this.height && x >= 0 && x < this.width && channel < this.channels;
    return inside ? this.at(y, x, channel) : 0;
  }

  /** What a kernel left in the image, and whether it wrote anywhere else. */
  read(memory: Memory): { halves: Uint16Array; others: boolean } {
    const offset = offsetOf(this.#address);
    const halves = memory.halves.slice(offset / 2, offset / 2 + this.halves.length);
    const padded = Math.ceil(this.channels / 8) * 8;
    const others = halves.some((half, i) => {
      const channel = (i % this.pitch) - this.first;
      return (channel < 0 || channel >= padded) && half !== 0xffff;
    });
    return { halves, others };
  }

  get struct(): Struct {
    const first = this.#address + BigInt(this.first * 2);
    return tensorStruct(first, this.height, this.width, this.pitch, this.channels);
  }
}

/** Fields of consecutive ints. */
export function integers(...values: readonly number[]): (readonly ['i32', number])[] {
  return values.map((value) => ['i32', value]);
}

function tensorStruct(data: bigint, ...numbers: readonly [number, number, number, number]): Struct {
  return new Struct(['u64', data], ...integers(...numbers));
}

export const NO_TENSOR = tensorStruct(0n, 0, 0, 0, 0);

/** Numbers that are the same in every run: a failure shows again. */
export function randomNumbers(seed: number): (low: number, high: number) => number {
  let state = seed;
  return (low, high) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return low + ((high - low) * state) / 2 ** 32;
  };
}
