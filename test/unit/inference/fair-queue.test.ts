import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../../src/inference/fair-queue.ts';

const alone = (): boolean => false;

/** Serves `turns` items one by one; each stream adds an item as soon as one was served. */
function serve(
  turns: number,
  streams: readonly { stream: number; weight: number; cost: number }[],
): number[] {
  const queue = new FairQueue<number>();
  for (const each of streams) queue.push(each.stream, each);
  return Array.from({ length: turns }, () => {
    const [stream = -1] = queue.take(1, alone);
    const again = streams.find((each) => each.stream === stream);
    if (again !== undefined) queue.push(stream, again);
    return stream;
  });
}

function count(order: readonly number[], stream: number): number {
  return order.filter((each) => each === stream).length;
}

describe('FairQueue', () => {
  it('shares the work of busy streams by their weights', () => {
    const order = serve(700, [
      { stream: 1, weight: 1, cost: 10 },
      { stream: 2, weight: 2, cost: 10 },
      { stream: 3, weight: 0.5, cost: 10 },
    ]);
    expect([1, 2, 3].map((stream) => count(order, stream) / 700)).toEqual([
      expect.closeTo(2 / 7, 2),
      expect.closeTo(4 / 7, 2),
      expect.closeTo(1 / 7, 2),
    ]);
  });

  it('counts cost, not items: large frames are served less often', () => {
    const order = serve(500, [
      { stream: 1, weight: 1, cost: 40 },
      { stream: 2, weight: 1, cost: 10 },
    ]);
    expect(count(order, 2) / count(order, 1)).toBeCloseTo(4, 1);
  });

  it('serves a mostly idle stream at once, but gives it no credit for its idle time', () => {
    const queue = new FairQueue<string>();
    const busy = { stream: 1, weight: 1, cost: 10 };
    for (let turn = 0; turn < 100; turn++) {
      queue.push('busy', busy);
      queue.take(1, alone);
    }
    for (let i = 0; i < 5; i++) queue.push('busy', busy);
    for (let i = 0; i < 5; i++) queue.push('rare', { stream: 2, weight: 1, cost: 10 });
    const order = Array.from({ length: 10 }, () => queue.take(1, alone)[0]);
    expect(order[0]).toBe('rare');
    // It had nothing for a hundred turns, and has no claim on them: from here on they alternate.
    expect(order.slice(1, 9).filter((each) => each === 'rare').length).toBeLessThanOrEqual(4);
  });

  it('takes items that can join the first one, in order, and leaves the others', () => {
    const queue = new FairQueue<string>();
    for (const [stream, item] of ['a1', 'b1', 'a2', 'a3', 'b2'].entries())
      queue.push(item, { stream, weight: 1, cost: 1 });
    const alike = (first: string, other: string): boolean => first[0] === other[0];
    expect(queue.countWithFirst(alike)).toBe(3);
    expect(queue.take(2, alike)).toEqual(['a1', 'a2']);
    expect(queue.take(8, alike)).toEqual(['b1', 'b2']);
    expect(queue.take(8, alike)).toEqual(['a3']);
    expect(queue.take(8, alike)).toEqual([]);
  });
});
