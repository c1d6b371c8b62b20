import { expect, test } from 'vitest';
import { StreamShares } from '../../../src/inference/stream-shares.ts';

test('requests are counted per stream', () => {
  const shares = new StreamShares();
  shares.add(1);
  shares.add(2);
  shares.count(1, 30);
  shares.count(1, 10);
  expect(shares.of(1)).toEqual({ requests: 2, totalMs: 40, longestMs: 30 });
  expect(shares.of(2)).toEqual({ requests: 0, totalMs: 0, longestMs: 0 });
  expect(shares.streamCount).toBe(2);
});

test('a stream that has been removed is not counted again', () => {
  const shares = new StreamShares();
  shares.add(1);
  shares.remove(1);
  shares.count(1, 30);
  expect(shares.of(1).requests).toBe(0);
  expect(shares.streamCount).toBe(0);
});

test('adding a stream twice keeps its count', () => {
  const shares = new StreamShares();
  shares.add(1);
  shares.count(1, 30);
  shares.add(1);
  expect(shares.of(1).requests).toBe(1);
});
