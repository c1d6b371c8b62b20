const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);

/** The bits of the nearest half-precision number (IEEE 754 binary16), ties to even. Values out of range become infinite. */
export function floatToHalf(value: number): number {
  FLOAT[0] = value;
  const bits = BITS[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
  }
  // Subnormal, in units of 2^-24.
  const units = Math.abs(FLOAT[0]) * 2 ** 24;
  const below = Math.floor(units);
  const part = units - below;
  return sign | (below + (part > 0.5 || (part === 0.5 && below % 2 === 1) ? 1 : 0));
}
