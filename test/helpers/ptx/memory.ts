/** A space of bytes. What was never written is all ones: not a number as a half and as a float, so that it shows. */
export class Memory {
  readonly bytes: Uint8Array;
  readonly #base: number;
  readonly #name: string;
  readonly #words: Uint16Array;
  readonly #integers: Int32Array;
  readonly #floats: Float32Array;
  readonly #wide: BigInt64Array;

  constructor(name: string, byteLength: number, base = 0) {
    this.#name = name;
    this.#base = base;
    this.bytes = new Uint8Array(Math.ceil(byteLength / 16) * 16).fill(0xff);
    const { buffer } = this.bytes;
    this.#words = new Uint16Array(buffer);
    this.#integers = new Int32Array(buffer);
    this.#floats = new Float32Array(buffer);
    this.#wide = new BigInt64Array(buffer);
  }

  get halves(): Uint16Array {
    return this.#words;
  }

  /** The offset of an address. @throws RangeError for an access outside, or one that is not aligned */
  check(address: number, size: number): number {
    const offset = address - this.#base;
    if (offset < 0 || offset + size > this.bytes.length)
      throw new RangeError(
        `${this.#name} memory: ${size} bytes at ${offset} are outside of ${this.bytes.length}`,
      );
    if (offset % size !== 0)
      throw new RangeError(`${this.#name} memory: ${size} bytes at ${offset} are not aligned`);
    return offset;
  }

  /* The names are the types of PTX. */
  readonly read_u8 = (at: number): number => this.bytes[at] as number;
  readonly read_u16 = (at: number): number => this.#words[at >> 1] as number;
  readonly read_u32 = (at: number): number => this.#integers[at >> 2] as number;
  readonly read_f32 = (at: number): number => this.#floats[at >> 2] as number;
  readonly read_u64 = (at: number): bigint => this.#wide[at >> 3] as bigint;
  readonly read_b16 = this.read_u16;
  readonly read_b32 = this.read_u32;
  readonly read_s32 = this.read_u32;
  readonly read_b64 = this.read_u64;
  readonly write_u8 = (at: number, value: number): void => void (this.bytes[at] = value);
  readonly write_u16 = (at: number, value: number): void => void (this.#words[at >> 1] = value);
  readonly write_u32 = (at: number, value: number): void => void (this.#integers[at >> 2] = value);
  readonly write_f32 = (at: number, value: number): void => void (this.#floats[at >> 2] = value);
  readonly write_b16 = this.write_u16;
  readonly write_b32 = this.write_u32;
}
