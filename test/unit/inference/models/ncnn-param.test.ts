import { expect, test } from 'vitest';
import { ModelError } from '../../../../src/domain/errors.ts';
import { listParam, numberParam, parseNcnnParam } from '../../../../src/inference/models/ncnn-param.ts';

const TEXT = `7767517
2 2
Input        in     0 1 data
Convolution  conv_1 1 1 data out 0=32 1=3 9=2 -23310=1,2.000000e-01
`;

test('layers are parsed with their blobs and parameters', () => {
  const [input, conv] = parseNcnnParam(TEXT);
  expect(input).toMatchObject({ type: 'Input', name: 'in', inputs: [], outputs: ['data'] });
  expect(conv).toMatchObject({ type: 'Convolution', inputs: ['data'], outputs: ['out'] });
  if (conv === undefined) throw new Error('there is no second layer');
  expect(numberParam(conv, 0, 1)).toBe(32);
  expect(numberParam(conv, 11, 3)).toBe(3);
  expect(listParam(conv, 10)).toEqual([0.2]);
  expect(listParam(conv, 12)).toEqual([]);
  expect(() => listParam(conv, 0)).toThrow('a number instead of a list under key 0');
  expect(() => numberParam(conv, 10, 0)).toThrow('a list instead of a number under key 10');
});

test.each([
  ['another magic number', TEXT.replace('7767517', '7767518'), 'the first line is not 7767517'],
  ['a missing layer', TEXT.replace('2 2', '3 2'), 'declares 3 layers but contains 2'],
  ['no blob counts', TEXT.replace('0 1 data', 'data'), 'no blob counts'],
  ['a parameter without a value', TEXT.replace('0=32', '0='), '"0=" of conv_1'],
  ['a parameter that is no number', TEXT.replace('0=32', '0=x'), '"0=x" of conv_1'],
  ['a list of another length', TEXT.replace('-23310=1,', '-23310=2,'), 'wrong length'],
])('a damaged text is rejected with its fault: %s', (_, text, sentence) => {
  expect(() => parseNcnnParam(text)).toThrow(ModelError);
  expect(() => parseNcnnParam(text)).toThrow(sentence);
});
