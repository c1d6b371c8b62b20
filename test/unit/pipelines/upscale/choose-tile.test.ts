import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseTile, type TileWish } from '../../../../src/pipelines/upscale/choose-tile.ts';

const GIB = 1024 ** 3;
const wish: TileWish = {
  requested: 'auto',
  width: 1920,
  height: 1080,
  network: { architecture: 'srvgg', overlap: 30 },
  memoryBytes: 8 * GIB,
};

test('whole frames where memory allows it, tiles where it does not', () => {
  expect(chooseTile(wish)).toBeNull();
  const tile = chooseTile({ ...wish, memoryBytes: GIB });
  expect(tile).toBeGreaterThan(256);
  expect(chooseTile({ ...wish, network: { architecture: 'rrdb', overlap: 80 } })).toBeLessThan(1080);
});

test('an unknown network is taken for a hungry one', () => {
  const unknown = { architecture: null, overlap: 80 };
  const hungry = { architecture: 'rrdb', overlap: 80 } as const;
  expect(chooseTile({ ...wish, network: unknown })).toBe(chooseTile({ ...wish, network: hungry }));
});

test('a number is honoured, and one that holds the frame means the whole of it', () => {
  expect(chooseTile({ ...wish, requested: 200, memoryBytes: 1 })).toBe(200);
  expect(chooseTile({ ...wish, requested: 1920 })).toBeNull();
  expect(chooseTile({ ...wish, requested: 1919 })).toBe(1919);
});

test('a chosen tile is a multiple of 32, at least 32, and more memory never gives a smaller one', () => {
  fc.assert(
    fc.property(fc.nat(4 * GIB), fc.nat(GIB), (memoryBytes, more) => {
      const tile = chooseTile({ ...wish, memoryBytes }) ?? Infinity;
      const larger = chooseTile({ ...wish, memoryBytes: memoryBytes + more }) ?? Infinity;
      expect(tile).toBeGreaterThanOrEqual(32);
      expect(tile === Infinity || tile % 32 === 0).toBe(true);
      expect(larger).toBeGreaterThanOrEqual(tile);
    }),
  );
});
