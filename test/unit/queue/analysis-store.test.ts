import { expect, test } from 'vitest';
import { LeaseLostError } from '../../../src/domain/errors.ts';
import { BOB, claimedJob, testQueue } from './queue-fixture.ts';

function batch(number: number) {
  const of = (value: number): Uint8Array => Uint8Array.of(number, value);
  return { number, findings: of(1), state: of(2), elapsedMs: 10 + number };
}

test('the analysis of a batch is read back, and the decisions for it once they are stored', () => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue);
  for (const number of [0, 1]) queue.analyses.commitAnalysis(lease, batch(number));
  expect(queue.analyses.listAnalysed(job.id)).toEqual([
    { number: 0, isDirected: false },
    { number: 1, isDirected: false },
  ]);
  expect(queue.analyses.listFindings(job.id).map((each) => [...each])).toEqual([
    [0, 1],
    [1, 1],
  ]);
  expect([...(queue.analyses.getState(job.id, 1) ?? [])]).toEqual([1, 2]);
  expect(queue.analyses.getState(job.id, 2)).toBeNull();
  queue.analyses.storeDirections(lease, [Uint8Array.of(7), Uint8Array.of(8)], '{}');
  expect(queue.analyses.getDecisions(job.id)).toBe('{}');
  expect(queue.analyses.listAnalysed(job.id).every(({ isDirected }) => isDirected)).toBe(true);
  const { direction, elapsedMs } = queue.analyses.getDirection(job.id, 1) ?? expect.fail('no direction');
  expect({ direction: [...(direction ?? [])], elapsedMs }).toEqual({ direction: [8], elapsedMs: 11 });
  queue.analyses.removeAnalysis(lease);
  expect(queue.analyses.getDirection(job.id, 1)).toBeNull();
  expect(queue.analyses.getDecisions(job.id)).toBeNull();
});

test('a worker that has lost its lease stores nothing', () => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue);
  const stranger = { ...lease, owner: BOB };
  expect(() => queue.analyses.commitAnalysis(stranger, batch(0))).toThrow(LeaseLostError);
  queue.analyses.commitAnalysis(lease, batch(0));
  expect(() => queue.analyses.storeDirections(stranger, [Uint8Array.of(7)], '{}')).toThrow(LeaseLostError);
  expect(queue.analyses.listAnalysed(job.id)).toEqual([{ number: 0, isDirected: false }]);
  queue.analyses.storeDirections(lease, [Uint8Array.of(7)], '{}');
  expect(() => queue.analyses.setDecisions(stranger, '[]')).toThrow(LeaseLostError);
  queue.analyses.removeAnalysis(stranger);
  expect(queue.analyses.getDecisions(job.id)).toBe('{}');
  expect(queue.analyses.getDirection(job.id, 0)).not.toBeNull();
});

test('a cancelled job has no analysis any more', () => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue);
  queue.analyses.commitAnalysis(lease, batch(0));
  queue.control.cancelJob(job.id, 5_000);
  expect(queue.analyses.listAnalysed(job.id)).toEqual([]);
});

test('what batches show can be stored without their analysis', () => {
  const queue = testQueue();
  const { job, lease } = claimedJob(queue);
  queue.analyses.storeDirections(lease, [Uint8Array.of(7), Uint8Array.of(8)], '{}');
  expect(queue.analyses.listAnalysed(job.id)).toEqual([
    { number: 0, isDirected: true },
    { number: 1, isDirected: true },
  ]);
  expect(queue.analyses.getDirection(job.id, 1)).toMatchObject({ elapsedMs: 0 });
});
