import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALICE, LEASE_MS, newJob, testQueue } from './queue-fixture.ts';

const order = (queue: ReturnType<typeof testQueue>): number[] =>
  queue.jobs.listJobs({ state: 'queued' }).map(({ id }) => id);

test('jobs are claimed in the order in which they were put, and new ones come last', () => {
  const queue = testQueue();
  for (let i = 0; i < 4; i++) queue.jobs.enqueue(newJob());
  expect(queue.moves.moveJob(4, { before: 1 })).toBe(true);
  expect(queue.moves.moveJob(1, { before: null })).toBe(true);
  queue.jobs.enqueue(newJob());
  expect(order(queue)).toEqual([4, 2, 3, 1, 5]);
  const window = { states: ['queued'], text: '', order: 'queue', offset: 0, limit: 9 } as const;
  expect(queue.jobs.listWindow(window).jobs.map(({ id }) => id)).toEqual([4, 2, 3, 1, 5]);
  const claimed = [1, 2, 3, 4, 5].map(
    () => queue.leases.claim({ owner: ALICE, nowMs: 2_000, leaseMs: LEASE_MS })?.job.id,
  );
  expect(claimed).toEqual([4, 2, 3, 1, 5]);
});

test('a job takes the priority of the one that it is put in front of', () => {
  const queue = testQueue();
  for (const priority of [0, 5, 5]) queue.jobs.enqueue(newJob({ priority }));
  queue.moves.moveJob(1, { before: 3 });
  expect(order(queue)).toEqual([2, 1, 3]);
  expect(queue.jobs.getJob(1)?.priority).toBe(5);
});

test('a job goes right behind another one, whose priority it takes', () => {
  const queue = testQueue();
  for (const priority of [5, 5, 0, 0]) queue.jobs.enqueue(newJob({ priority }));
  expect(queue.moves.moveJob(4, { after: 2 })).toBe(true);
  expect(queue.moves.moveJob(1, { after: 2 })).toBe(true);
  expect(order(queue)).toEqual([2, 1, 4, 3]);
  expect(queue.jobs.getJob(4)?.priority).toBe(5);
  expect(queue.moves.moveJob(2, { after: 3 })).toBe(true);
  queue.jobs.enqueue(newJob());
  expect(order(queue)).toEqual([1, 4, 3, 2, 5]);
  expect([queue.moves.moveJob(1, { after: 1 }), queue.moves.moveJob(1, { after: 9 })]).toEqual([
    false,
    false,
  ]);
});

test('a job that is not queued is not moved, nor one in front of itself or of such a job', () => {
  const queue = testQueue();
  for (let i = 0; i < 3; i++) queue.jobs.enqueue(newJob());
  queue.control.pauseJob(2);
  expect([
    queue.moves.moveJob(2, { before: 1 }),
    queue.moves.moveJob(1, { before: 2 }),
    queue.moves.moveJob(1, { before: 1 }),
    queue.moves.moveJob(1, { before: 9 }),
  ]).toEqual([false, false, false, false]);
  queue.control.pauseJob(3);
  expect(queue.moves.moveJob(1, { before: null })).toBe(false);
});

test('any sequence of moves gives the order of a list, also when there is no room between two positions', () => {
  const queue = testQueue();
  const model: number[] = [];
  for (let i = 0; i < 6; i++) model.push(queue.jobs.enqueue(newJob()).job.id);
  const index = fc.integer({ min: 0, max: 5 });
  fc.assert(
    fc.property(fc.array(fc.tuple(index, fc.option(index)), { maxLength: 8 }), (moves) => {
      for (const [from, to] of moves) {
        const id = model[from] ?? 0;
        const before = to === null ? null : (model[to] ?? 0);
        if (id === before) continue;
        expect(queue.moves.moveJob(id, { before })).toBe(true);
        model.splice(from, 1);
        model.splice(before === null ? model.length : model.indexOf(before), 0, id);
      }
      expect(order(queue)).toEqual(model);
    }),
    { numRuns: 30, seed: 5 },
  );
  // Each move halves the room behind the first one.
  for (let i = 0; i < 120; i++) {
    const [first = 0, last = 0] = [model[0], model.at(-1)];
    expect(queue.moves.moveJob(last, { after: first })).toBe(true);
    model.splice(1, 0, ...model.splice(-1));
  }
  expect(order(queue)).toEqual(model);
  // Each move halves the room between the first two.
  for (let i = 0; i < 120; i++) {
    const [first = 0, , last = 0] = [model[0], null, model.at(-1)];
    queue.moves.moveJob(last, { before: model[1] ?? 0 });
    model.splice(1, 0, ...model.splice(-1));
    expect(order(queue)[0]).toBe(first);
  }
  expect(order(queue)).toEqual(model);
});
