import fc from 'fast-check';
import { expect, test } from 'vitest';
import { floatToHalf } from '../../../../src/inference/plan/half.ts';

test.each([
  [0, 0x0000],
  [-0, 0x8000],
  [1, 0x3c00],
  [-2, 0xc000],
  [65504, 0x7bff],
  [65519.9, 0x7bff],
  [65520, 0x7c00],
  [-Infinity, 0xfc00],
  [NaN, 0x7e00],
  [2 ** -14, 0x0400],
  [2 ** -24, 0x0001],
  [2 ** -25, 0x0000], // A tie, to even.
  [2 ** -25 * 1.5, 0x0001],
  [3 * 2 ** -25, 0x0002], // A tie, to even.
  [1 + 2 ** -11, 0x3c00], // A tie, to even.
  [1 + 3 * 2 ** -11, 0x3c02],
  [1 / 3, 0x3555],
])('%d is %i', (value, bits) => {
  expect(floatToHalf(value)).toBe(bits);
});

function halfToFloat(bits: number): number {
  const [exponent, mantissa] = [(bits >> 10) & 31, bits & 1023];
  const magnitude = exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -magnitude : magnitude;
}

test('half-precision numbers are unchanged, and other numbers become the nearest one', () => {
  for (let bits = 0; bits < 0x7c00; bits++) expect(floatToHalf(halfToFloat(bits))).toBe(bits);
  fc.assert(
    fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
      const bits = floatToHalf(value);
      const distance = Math.abs(halfToFloat(bits) - value);
      for (const other of [bits - 1, bits + 1]) {
        if ((other & 0x7fff) < 0x7c00 && other >= 0)
          expect(Math.abs(halfToFloat(other) - value)).toBeGreaterThanOrEqual(distance);
      }
    }),
  );
});
