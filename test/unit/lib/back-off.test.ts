import { expect, test } from 'vitest';
import { BackOff, backOffMs } from '../../../src/lib/back-off.ts';

test('pauses double up to the limit, and start over after a success', () => {
  const backOff = new BackOff(500, 3_000);
  expect([1, 2, 3, 4, 5].map(() => backOff.nextMs())).toEqual([500, 1_000, 2_000, 3_000, 3_000]);
  backOff.reset();
  expect(backOff.nextMs()).toBe(500);
});

test('the growth factor can be set', () => {
  expect([1, 2, 3, 4, 5].map((failures) => backOffMs(failures, 2_000, 300_000, 4))).toEqual([
    2_000, 8_000, 32_000, 128_000, 300_000,
  ]);
});
