import { expect, it } from 'vitest';
import { byteRange } from '../../../src/page/byte-range.ts';

it.each([
  [undefined, null],
  ['bytes=0-', { start: 0, end: 99 }],
  ['bytes=10-19', { start: 10, end: 19 }],
  ['bytes=90-500', { start: 90, end: 99 }],
  ['bytes=-10', { start: 90, end: 99 }],
  ['bytes=100-', 'beyond'],
  ['bytes=200-', 'beyond'],
  ['bytes=-0', 'beyond'],
  ['bytes=20-10', null],
  ['bytes=0-1,5-6', null],
  ['bytes=-', null],
] as const)('the range %s of 100 bytes', (header, range) => {
  expect(byteRange(header, 100)).toEqual(range);
});
