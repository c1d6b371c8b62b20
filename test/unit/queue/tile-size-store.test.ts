import { expect, test } from 'vitest';
import { LeaseLostError } from '../../../src/domain/errors.ts';
import type { TileKey } from '../../../src/queue/tile-size-store.ts';
import { claimedJob, testQueue } from './queue-fixture.ts';

const KEY: TileKey = {
  device: 'a card',
  memoryBytes: 8e9,
  networkSha256: 'ab'.repeat(32),
  scale: 2,
  width: 1920,
  height: 1080,
};
const DAY_MS = 86_400_000;

test('what worked last is known for a day, and for nothing else than what it worked for', () => {
  const queue = testQueue();
  const { lease } = claimedJob(queue);
  queue.tileSizes.remember(lease, KEY, 400, 1_000);
  queue.tileSizes.remember(lease, KEY, 280, 2_000);
  expect(queue.tileSizes.recall(KEY, 3_000)).toBe(280);
  for (const change of [
    { device: 'cpu' },
    { memoryBytes: 16e9 },
    { networkSha256: 'cd'.repeat(32) },
    { scale: 4 },
    { width: 1280 },
    { height: 720 },
  ])
    expect(queue.tileSizes.recall({ ...KEY, ...change }, 3_000)).toBeNull();
  expect(queue.tileSizes.recall(KEY, 2_000 + DAY_MS)).toBeNull();
});

test('what is too old to be used is deleted when something new is written', () => {
  const queue = testQueue();
  const { lease } = claimedJob(queue);
  queue.tileSizes.remember(lease, KEY, 400, 0);
  queue.tileSizes.remember(lease, { ...KEY, scale: 4 }, 400, DAY_MS);
  // Asked as of a time at which it would still have held.
  expect(queue.tileSizes.recall(KEY, 1)).toBeNull();
});

test('a worker that lost its lease writes nothing', () => {
  const queue = testQueue();
  const { lease } = claimedJob(queue);
  expect(() => queue.tileSizes.remember({ ...lease, token: lease.token - 1 }, KEY, 400, 1)).toThrow(
    LeaseLostError,
  );
  expect(queue.tileSizes.recall(KEY, 2)).toBeNull();
});
