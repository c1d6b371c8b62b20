import fc from 'fast-check';
import { expect, test } from 'vitest';
import { usableVideoMemory } from '../../../../src/hardware/video-memory.ts';
import { chooseGpuTile, type GpuTileRequest } from '../../../../src/pipelines/upscale/choose-gpu-tile.ts';
import { planTiles } from '../../../../src/pipelines/upscale/tiles.ts';

const GIB = 2 ** 30;
const FULL_HD = { width: 1920, height: 1080, frameBytes: 1920 * 1080 * 102, mostLanes: 3 };
/** Bytes for each pixel by `workspaceBytesPerPixel`, which test/native/gpu-memory.test.ts compares with the built-in models. */
const GENERAL = { ...FULL_HD, overlap: 30, bytesPerPixel: 272 };
const PLUS = { ...FULL_HD, overlap: 80, bytesPerPixel: 4864 };

function onGpu(request: Omit<GpuTileRequest, 'usableBytes'>, totalBytes: number, freeBytes = totalBytes) {
  return chooseGpuTile({ ...request, usableBytes: usableVideoMemory({ totalBytes, freeBytes }) });
}

test.each([6, 8, 12, 24])(
  'realesr-general-x4v3 computes each pixel of 1080p once on a GPU with %i GB',
  (gigabytes) => {
    expect(onGpu(GENERAL, gigabytes * GIB)).toEqual({ tile: null, lanes: 3, work: 1 });
  },
);

test.each([
  [6, 960, 1, 1.25],
  [8, 1080, 1, 1.09],
  [12, null, 1, 1.01],
  [24, 1080, 3, 1.09],
])(
  'RealESRGAN_x4plus on a GPU with %i GB gets tiles of %s px, %i at once',
  (gigabytes, tile, lanes, work) => {
    const chosen = onGpu(PLUS, gigabytes * GIB);
    expect(chosen).toMatchObject({ tile, lanes });
    expect(chosen.work).toBeLessThan(work);
  },
);

test('free memory counts, not only the size of the GPU', () => {
  const busy = onGpu(PLUS, 24 * GIB, 5 * GIB);
  expect(busy.work).toBeGreaterThan(onGpu(PLUS, 24 * GIB).work);
});

test('what is chosen fits, and more memory never means more work at the same number of frames', () => {
  const sizes = fc.record({
    width: fc.integer({ min: 16, max: 2048 }),
    height: fc.integer({ min: 16, max: 2048 }),
  });
  fc.assert(
    fc.property(
      sizes,
      fc.integer({ min: 0, max: 40 }),
      fc.nat(20 * GIB),
      fc.nat(GIB),
      (size, overlap, bytes, more) => {
        const request = {
          ...size,
          overlap,
          bytesPerPixel: 4864,
          mostLanes: 3,
          frameBytes: size.width * size.height * 51,
        };
        const { tile, lanes, work } = chooseGpuTile({ ...request, usableBytes: bytes });
        const [first] = planTiles(size.width, size.height, tile, overlap);
        const pixels = (first?.window.width ?? 0) * (first?.window.height ?? 0);
        const needed = lanes * (pixels * request.bytesPerPixel + request.frameBytes);
        expect(tile === 32 || needed <= bytes).toBe(true);
        const roomier = chooseGpuTile({ ...request, usableBytes: bytes + more });
        if (roomier.lanes === lanes) expect(roomier.work).toBeLessThanOrEqual(work);
      },
    ),
    { numRuns: 20 },
  );
});
