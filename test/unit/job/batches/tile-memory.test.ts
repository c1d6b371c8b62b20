import { expect, test } from 'vitest';
import { LeaseLostError } from '../../../../src/domain/errors.ts';
import { TileMemory } from '../../../../src/job/batches/tile-memory.ts';
import { PLAN } from '../../queue/queue-fixture.ts';
import { jobAtWork } from '../job-fixture.ts';

test('a reduced tile size is stored in the plan, is logged, and nothing else of the plan changes', async () => {
  const { context, stored, lines } = await jobAtWork();
  const tiles = new TileMemory(context, PLAN, 100);
  tiles.remember({ device: 'cpu', tile: 64 });
  expect(stored()).toMatchObject({ plan: { ...PLAN, tile: 64 }, framesTotal: 100 });
  expect(lines).toEqual(['out of memory; tile size reduced to 64 px']);
});

test('the tile sizes of both devices are remembered side by side', async () => {
  const { context, stored, lines } = await jobAtWork();
  const tiles = new TileMemory(context, PLAN, 100);
  tiles.remember({ device: 'gpu', tile: 96 });
  tiles.remember({ device: 'cpu', tile: 64 });
  tiles.remember({ device: 'cpu', tile: 32 });
  expect(stored().plan).toEqual({ ...PLAN, tile: 32, gpuTile: 96 });
  expect(lines).toEqual([
    'GPU out of memory; tile size reduced to 96 px',
    'out of memory; tile size reduced to 64 px',
    'out of memory; tile size reduced to 32 px',
  ]);
});

test('an engine that needs more memory than our kernels gets no larger tiles than they do', async () => {
  const { context, stored } = await jobAtWork();
  const tiles = new TileMemory(context, { ...PLAN, gpuTile: null, otherGpuTile: 96 }, 100);
  tiles.remember({ device: 'gpu', tile: 200 });
  expect(stored().plan).toMatchObject({ gpuTile: 200, otherGpuTile: 96 });
  tiles.remember({ device: 'gpu', tile: 64 });
  expect(stored().plan).toMatchObject({ gpuTile: 64, otherGpuTile: 64 });
});

test('the same tile size is written once, however many frames report it', async () => {
  const { context, queue, lease, stored, lines } = await jobAtWork();
  const tiles = new TileMemory(context, PLAN, 100);
  tiles.remember(null);
  tiles.remember({ device: 'cpu', tile: 128 });
  expect(stored().plan).toBeNull();
  tiles.remember({ device: 'cpu', tile: 64 });
  // A second write would bring the plan back.
  queue.progress.setPlan(lease, { ...PLAN, tile: 1 }, 100);
  tiles.remember({ device: 'cpu', tile: 64 });
  expect(stored().plan?.tile).toBe(1);
  expect(lines).toHaveLength(1);
});

test('a worker that lost its lease does not change the plan', async () => {
  const { context, loseLease, stored } = await jobAtWork();
  const tiles = new TileMemory(context, PLAN, 100);
  loseLease();
  expect(() => tiles.remember({ device: 'cpu', tile: 64 })).toThrow(LeaseLostError);
  expect(stored().plan).toBeNull();
});
