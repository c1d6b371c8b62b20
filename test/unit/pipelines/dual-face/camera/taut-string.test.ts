import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tautString } from '../../../../../src/pipelines/dual-face/camera/taut-string.ts';

function pathIn(low: readonly number[], high: readonly number[]): number[] {
  return [...tautString(Float64Array.from(low), Float64Array.from(high))];
}

test('a string that fits through the tube does not move', () => {
  expect(pathIn([0, 1, -3, 2], [4, 5, 3, 9])).toEqual([2.5, 2.5, 2.5, 2.5]);
});

test('a string rests until it has to move, goes straight, and rests again', () => {
  const low = [0, 0, 0, -9, -9, -9, 6, 6, 6];
  const high = [2, 2, 2, 99, 99, 99, 8, 8, 8];
  expect(pathIn(low, high)).toEqual([2, 2, 2, 3, 4, 5, 6, 6, 6]);
});

test('a string that is free at the end does not follow the tube further than it has to', () => {
  expect(pathIn([0, 2, 0, 0], [0, 9, 9, 9])).toEqual([0, 2, 2, 2]);
});

test('no path in the tube has a shorter way or smaller squares of its steps', () => {
  const tube = fc.array(
    fc.record({ low: fc.integer({ min: -20, max: 20 }), width: fc.integer({ min: 0, max: 15 }) }),
    {
      minLength: 2,
      maxLength: 12,
    },
  );
  fc.assert(
    fc.property(tube, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (steps, random) => {
      const [low, high] = [steps.map((step) => step.low), steps.map((step) => step.low + step.width)];
      const path = pathIn(low, high);
      for (const [i, value] of path.entries()) {
        expect(value).toBeGreaterThanOrEqual((low[i] ?? 0) - 1e-9);
        expect(value).toBeLessThanOrEqual((high[i] ?? 0) + 1e-9);
      }
      const other = steps.map((step) => step.low + step.width * (random.next().value as number));
      for (const cost of [Math.abs, (step: number) => step ** 2])
        expect(costOf(path, cost)).toBeLessThanOrEqual(costOf(other, cost) + 1e-9);
    }),
  );
});

function costOf(path: readonly number[], cost: (step: number) => number): number {
  return path.slice(1).reduce((sum, value, i) => sum + cost(value - (path[i] ?? 0)), 0);
}
