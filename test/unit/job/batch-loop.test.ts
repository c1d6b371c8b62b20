import { expect, test } from 'vitest';
import type { BatchRange } from '../../../src/domain/frame-batch.ts';
import { runBatches, type BatchStep } from '../../../src/job/batches/batch-loop.ts';

const batches: BatchRange[] = Array.from({ length: 6 }, (_, number) => ({
  number,
  firstFrame: number * 10,
  frameCount: 10,
}));
const settled = () => new Promise((resolve) => setImmediate(resolve));
const never = new AbortController().signal;

/** Steps that end when the test says so. */
function handMadeSteps(names: string[]) {
  const log: string[] = [];
  const open = new Map<string, { finish: () => void; fail: (error: Error) => void }>();
  const steps = names.map(
    (name): BatchStep =>
      (batch, signal) =>
        new Promise<void>((resolve, reject) => {
          const key = `${name}${batch.number}`;
          log.push(key);
          open.set(key, { finish: resolve, fail: reject });
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        }),
  );
  const finish = async (key: string) => {
    open.get(key)?.finish();
    await settled();
  };
  return { steps, log, open, finish };
}

test('neighbouring batches overlap, each step keeps their order, and the number in flight is bounded', async () => {
  const { steps, log, finish } = handMadeSteps(['d', 't', 'e']);
  const done = runBatches(batches.slice(0, 4), steps, 3, never);
  await settled();
  expect(log).toEqual(['d0']);
  await finish('d0');
  expect(log.toSorted()).toEqual(['d0', 'd1', 't0']);
  await finish('d1');
  await finish('d2');
  // Three are in flight, and the transform of the first has not ended.
  expect(log.toSorted()).toEqual(['d0', 'd1', 'd2', 't0']);
  await finish('t0');
  expect(log.toSorted()).toEqual(['d0', 'd1', 'd2', 'e0', 't0', 't1']);
  await finish('e0');
  expect(log.at(-1)).toBe('d3');
  for (const key of ['d3', 't1', 'e1', 't2', 'e2', 't3', 'e3']) await finish(key);
  await done;
});

test('the first failure stops every step and is the one that is thrown', async () => {
  const { steps, log, open, finish } = handMadeSteps(['d', 't']);
  const done = runBatches(batches, steps, 3, never);
  const outcome = expect(done).rejects.toThrow('disk full');
  await settled();
  await finish('d0');
  open.get('t0')?.fail(new Error('disk full'));
  await outcome;
  expect(log.toSorted()).toEqual(['d0', 'd1', 't0']);
});

test('a stop from outside ends with its reason when all steps have come to rest', async () => {
  const { steps, finish } = handMadeSteps(['d', 't']);
  const stop = new AbortController();
  const outcome = expect(runBatches(batches, steps, 2, stop.signal)).rejects.toThrow('paused');
  await settled();
  await finish('d0');
  stop.abort(new Error('paused'));
  await outcome;
});

test('no batches, no work', async () => {
  await runBatches([], [() => Promise.reject(new Error('called'))], 3, never);
});
