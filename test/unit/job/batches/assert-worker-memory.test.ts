import { expect, test } from 'vitest';
import { WorkerMemoryError } from '../../../../src/domain/errors.ts';
import { assertWorkerMemory } from '../../../../src/job/batches/assert-worker-memory.ts';

const MEGABYTE = 1024 ** 2;

test('a worker may hold memory up to its limit', () => {
  assertWorkerMemory(100 * MEGABYTE, 100 * MEGABYTE);
});

test('a worker above its limit is restarted, and the message says both sizes', () => {
  const check = () => assertWorkerMemory(100 * MEGABYTE, 100 * MEGABYTE + 1.2 * MEGABYTE);
  expect(check).toThrow(WorkerMemoryError);
  expect(check).toThrow('worker memory is 101 MB (limit: 100 MB); restarting the worker');
});

test('by default the memory of this process counts', () => {
  expect(() => assertWorkerMemory(1)).toThrow(WorkerMemoryError);
  assertWorkerMemory(Infinity);
});
