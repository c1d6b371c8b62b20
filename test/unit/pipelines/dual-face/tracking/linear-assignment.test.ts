import fc from 'fast-check';
import { expect, it } from 'vitest';
import { assignPairs } from '../../../../../src/pipelines/dual-face/tracking/linear-assignment.ts';

/** The best sum, by trying all pairings. */
function bestSum(values: readonly (readonly number[])[], least: number, used = new Set<number>()): number {
  const [row, ...others] = values;
  if (row === undefined) return 0;
  let best = bestSum(others, least, used);
  row.forEach((value, column) => {
    if (value < least || used.has(column)) return;
    best = Math.max(best, value + bestSum(others, least, new Set([...used, column])));
  });
  return best;
}

it('prefers two good pairs to one very good one', () => {
  const values = [
    [0.9, 0.8],
    [0.85, 0],
  ];
  const pairs = assignPairs(2, 2, (row, column) => values[row]?.[column] ?? 0, 0.1);
  expect(pairs).toEqual([
    { row: 1, column: 0 },
    { row: 0, column: 1 },
  ]);
});

it('ignores pairs below the minimum value', () => {
  expect(assignPairs(1, 2, (_, column) => (column === 0 ? 0.29 : 0.1), 0.3)).toEqual([]);
  expect(assignPairs(0, 3, () => 1, 0.3)).toEqual([]);
  expect(assignPairs(3, 0, () => 1, 0.3)).toEqual([]);
});

it('reaches the best sum for any size and values', () => {
  const matrix = fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
    .chain(([rows, columns]) => {
      const row = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
        minLength: columns,
        maxLength: columns,
      });
      return fc.array(row, { minLength: rows, maxLength: rows });
    });
  fc.assert(
    fc.property(matrix, (values) => {
      const at = (row: number, column: number): number => values[row]?.[column] ?? 0;
      const pairs = assignPairs(values.length, values[0]?.length ?? 0, at, 0.2);
      expect(new Set(pairs.map(({ row }) => row)).size).toBe(pairs.length);
      expect(new Set(pairs.map(({ column }) => column)).size).toBe(pairs.length);
      expect(pairs.every(({ row, column }) => at(row, column) >= 0.2)).toBe(true);
      const sum = pairs.reduce((total, { row, column }) => total + at(row, column), 0);
      expect(sum).toBeCloseTo(bestSum(values, 0.2), 9);
    }),
  );
});
