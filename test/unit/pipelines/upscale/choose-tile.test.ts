import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseTile, whyNotWhole, type TileRequest } from '../../../../src/pipelines/upscale/choose-tile.ts';

const GIB = 1024 ** 3;
const request: TileRequest = {
  requested: 'auto',
  width: 1920,
  height: 1080,
  model: { architecture: 'srvgg', overlap: 30 },
  memoryBytes: 8 * GIB,
};

test('frames are tiled only if they do not fit into memory', () => {
  expect(chooseTile(request)).toBeNull();
  const tile = chooseTile({ ...request, memoryBytes: GIB });
  expect(tile).toBeGreaterThan(256);
  expect(chooseTile({ ...request, model: { architecture: 'rrdb', overlap: 80 } })).toBeLessThan(1080);
});

test('an unknown model counts as the one that needs most memory', () => {
  const unknown = { architecture: null, overlap: 80 };
  const hungry = { architecture: 'rrdb', overlap: 80 } as const;
  expect(chooseTile({ ...request, model: unknown })).toBe(chooseTile({ ...request, model: hungry }));
});

test('a model that looks at the whole image gets whole frames, or a reason why not', () => {
  const cugan = { ...request, model: { architecture: 'cugan', overlap: 20 } } as const;
  expect(chooseTile({ ...cugan, memoryBytes: GIB })).toBeNull();
  expect(whyNotWhole({ ...cugan, memoryBytes: 8e9 })).toMatch(
    /^Real-CUGAN needs about 24\.1 GB of memory for a whole frame of 1920x1080, and only 8\.0 GB can be used/,
  );
  expect(whyNotWhole({ ...cugan, memoryBytes: 25e9 })).toBeNull();
  const threefold = { ...cugan.model, scale: 3 };
  expect(whyNotWhole({ ...cugan, model: threefold, memoryBytes: 25e9 })).toMatch(/needs about 43\.5 GB/);
  expect(whyNotWhole({ ...cugan, requested: 256, memoryBytes: 8e9 })).toBeNull();
  expect(whyNotWhole({ ...request, memoryBytes: 1 })).toBeNull();
});

test('a configured tile size is used, and one that contains the frame means no tiles', () => {
  expect(chooseTile({ ...request, requested: 200, memoryBytes: 1 })).toBe(200);
  expect(chooseTile({ ...request, requested: 1920 })).toBeNull();
  expect(chooseTile({ ...request, requested: 1919 })).toBe(1919);
});

test('an automatic tile size is a multiple of 32, at least 32, and does not shrink with more memory', () => {
  fc.assert(
    fc.property(fc.nat(4 * GIB), fc.nat(GIB), (memoryBytes, more) => {
      const tile = chooseTile({ ...request, memoryBytes }) ?? Infinity;
      const larger = chooseTile({ ...request, memoryBytes: memoryBytes + more }) ?? Infinity;
      expect(tile).toBeGreaterThanOrEqual(32);
      expect(tile === Infinity || tile % 32 === 0).toBe(true);
      expect(larger).toBeGreaterThanOrEqual(tile);
    }),
  );
});
