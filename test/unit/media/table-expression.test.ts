import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tableExpression } from '../../../src/media/encode/table-expression.ts';

/** Evaluates the expressions of `tableExpression`: `if(lt(N,k),a,b)`, `a`, `a+(N-f)*s`. */
function evaluate(expression: string, n: number): number {
  const branch = /^if\(lt\(N,(\d+)\),/.exec(expression);
  if (branch !== null) {
    const inner = expression.slice(branch[0].length, -1);
    let depth = 0;
    const comma = Array.from(inner).findIndex((char) => {
      depth += char === '(' ? 1 : char === ')' ? -1 : 0;
      return char === ',' && depth === 0;
    });
    return n < Number(branch[1]) ? evaluate(inner.slice(0, comma), n) : evaluate(inner.slice(comma + 1), n);
  }
  const run = /^(-?\d+)(?:\+\(N-(\d+)\)\*(-?\d+))?$/.exec(expression);
  if (run === null) throw new Error(`unexpected expression ${expression}`);
  return Number(run[1]) + (n - Number(run[2] ?? 0)) * Number(run[3] ?? 0);
}

test('evaluates to every value of any table', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1e9, max: 1e9 }), { minLength: 1, maxLength: 200 }), (values) => {
      const expression = tableExpression(values);
      expect(values.map((_, n) => evaluate(expression, n))).toEqual(values);
    }),
  );
});

test('a constant frame rate is a single run of any length', () => {
  const values = Array.from({ length: 5000 }, (_, n) => 900_000 + n * 3003);
  expect(tableExpression(values)).toBe('900000+(N-0)*3003');
});
