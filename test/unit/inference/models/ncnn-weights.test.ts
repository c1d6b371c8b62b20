import { expect, test } from 'vitest';
import { halfToFloat, NcnnWeights } from '../../../../src/inference/models/ncnn-weights.ts';

const HALF_TAG = [0x47, 0x6b, 0x30, 0x01];

test.each([
  [0x0000, 0],
  [0x3c00, 1],
  [0xc000, -2],
  [0x3555, 0.333251953125],
  [0x7bff, 65504],
  [0x0400, 2 ** -14],
  [0x0001, 2 ** -24],
  [0x83ff, -1023 * 2 ** -24],
  [0x7c00, Infinity],
  [0x7c01, NaN],
])('half-precision bits 0x%s are the number that IEEE 754 says', (bits, value) => {
  expect(halfToFloat(bits)).toBe(value);
});

test('half-precision arrays are padded to four bytes, single-precision arrays are not', () => {
  const singles = new Uint8Array(Float32Array.of(0.5, -3).buffer);
  const halves = [...HALF_TAG, 0x00, 0x3c, 0x00, 0xc0, 0x00, 0x38, 0xff, 0xff];
  const weights = new NcnnWeights(Uint8Array.from([...halves, 0, 0, 0, 0, ...singles, ...singles]));
  expect([...weights.readTagged(3, 'a')]).toEqual([1, -2, 0.5]);
  expect([...weights.readTagged(2, 'b')]).toEqual([0.5, -3]);
  expect([...weights.readFloats(2, 'b')]).toEqual([0.5, -3]);
  weights.expectEnd();
});

test('a file that is too short, too long or in another format is rejected with the name of the layer', () => {
  expect(() => new NcnnWeights(Uint8Array.from([...HALF_TAG, 0, 0])).readTagged(2, 'conv_7')).toThrow(
    'conv_7',
  );
  expect(() => new NcnnWeights(Uint8Array.of(0x38, 0x4b, 0x0d, 0x00)).readTagged(1, 'conv_8')).toThrow(
    'The weights of conv_8 have the unknown format tag 0xd4b38',
  );
  expect(() => new NcnnWeights(new Uint8Array(4)).expectEnd()).toThrow('4 bytes after the weights');
});
