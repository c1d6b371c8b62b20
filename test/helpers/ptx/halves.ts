const words = new Uint32Array(1);
const floats = new Float32Array(words.buffer);

/** The bits of the half that is nearest to a float, ties to even, as `cvt.rn.f16.f32` gives them. */
export function toHalf(value: number): number {
  floats[0] = value;
  const bits = words[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return 0x7fff;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000)
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // Below 2^-14 halves are multiples of 2^-24.
  const scaled = Math.abs(floats[0]) * 2 ** 24;
  const low = Math.floor(scaled);
  const up = scaled - low > 0.5 || (scaled - low === 0.5 && low % 2 === 1);
  return sign | (low + (up ? 1 : 0));
}

function fromBits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The value of each half, by its bits. */
export const HALVES = Float32Array.from({ length: 65_536 }, (_, bits) => fromBits(bits));

export function fromHalf(bits: number): number {
  return HALVES[bits & 0xffff] as number;
}
