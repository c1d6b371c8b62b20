import { expect, test } from 'vitest';
import { runStages } from '../../../../src/job/batches/scheduler.ts';

const batches: Record[] = Array.from({ length: 6 }, (_, number) => ({ number, trail: '' }));
const settled = () => new Promise((resolve) => setImmediate(resolve));
const never = new AbortController().signal;

/** Stages whose calls end when the test says so. Each hands on the batch with its letter added to the trail. */
function handMadeStages() {
  const log: string[] = [];
  const open = new Map<string, { finish: () => void; fail: (error: Error) => void }>();
  const stage =
    (name: string) =>
    (record: Record, signal: AbortSignal): Promise<Record> =>
      new Promise((resolve, reject) => {
        const key = `${name}${record.number}`;
        log.push(key);
        open.set(key, { finish: () => resolve({ ...record, trail: record.trail + name }), fail: reject });
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
  const committed: Record[] = [];
  const commit = stage('c');
  const stages = {
    decode: stage('d'),
    transform: stage('t'),
    encode: stage('e'),
    commit: async (record: Record, signal: AbortSignal) => void committed.push(await commit(record, signal)),
  };
  const finish = async (key: string) => {
    open.get(key)?.finish();
    await settled();
  };
  return { stages, log, open, finish, committed };
}

interface Record {
  readonly number: number;
  readonly trail: string;
}

test('neighbouring batches overlap, each stage keeps their order, and the number in flight is bounded', async () => {
  const { stages, log, finish, committed } = handMadeStages();
  const done = runStages(batches.slice(0, 4), stages, 3, never);
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
  await finish('t1');
  await finish('e0');
  // One is verified and committed while the next is encoded; a third one is not yet inferred, because a kill would lose it.
  expect(log.toSorted()).toEqual(['c0', 'd0', 'd1', 'd2', 'e0', 'e1', 't0', 't1']);
  await finish('c0');
  expect(log.slice(8).toSorted()).toEqual(['d3', 't2']);
  for (const key of ['d3', 'e1', 'c1', 't2', 'e2', 'c2', 't3', 'e3', 'c3']) await finish(key);
  await done;
  expect(committed).toEqual([0, 1, 2, 3].map((number) => ({ number, trail: 'dtec' })));
});

test('the first failure stops every stage and is the one that is thrown', async () => {
  const { stages, log, open, finish } = handMadeStages();
  const done = runStages(batches, stages, 3, never);
  const outcome = expect(done).rejects.toThrow('disk full');
  await settled();
  await finish('d0');
  open.get('t0')?.fail(new Error('disk full'));
  await outcome;
  expect(log.toSorted()).toEqual(['d0', 'd1', 't0']);
});

test('a stop from outside is thrown once all stages have stopped', async () => {
  const { stages, finish } = handMadeStages();
  const stop = new AbortController();
  const outcome = expect(runStages(batches, stages, 2, stop.signal)).rejects.toThrow('paused');
  await settled();
  await finish('d0');
  stop.abort(new Error('paused'));
  await outcome;
});

test('without batches no stage is called', async () => {
  const called = () => Promise.reject(new Error('called'));
  await runStages([], { decode: called, transform: called, encode: called, commit: called }, 3, never);
});
