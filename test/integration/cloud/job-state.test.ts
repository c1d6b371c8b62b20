import { expect, test } from 'vitest';
import type { CommittedBatch } from '../../../src/domain/job.ts';
import { S3Store } from '../../../src/cloud/object-store/s3-store.ts';
import { JobState } from '../../../src/cloud/state/job-state.ts';
import { BUCKET, cloudStandIn } from '../../helpers/cloud-stand-in.ts';

const BATCH: CommittedBatch = {
  number: 0,
  firstFrame: 0,
  frameCount: 10,
  segmentName: 'b000000.mp4',
  segmentBytes: 100,
  segmentSha256: 'a'.repeat(64),
  encoder: 'libx264',
  elapsedMs: 10,
  analysisMs: null,
  framesReused: null,
  committedAtMs: 0,
};

const { signal } = new AbortController();

function rowOf(claim: number) {
  return { claim, segmentKey: `state/x/segments/b000000.${claim}.mp4`, secondsHeld: 1, signal };
}

test('a row that an old claim writes late does not stop the worker that has the job', async () => {
  const { s3 } = await cloudStandIn();
  const state = new JobState(new S3Store(s3, BUCKET), 'state/x/');
  expect(await state.addRow(BATCH, rowOf(1))).toBe(true);
  expect(await state.addRow(BATCH, rowOf(2))).toBe(true);
  expect((await state.rows()).map(({ claim, segmentKey }) => [claim, segmentKey])).toEqual([
    [2, rowOf(2).segmentKey],
  ]);
});

test('a row of an old claim does not replace that of a higher one', async () => {
  const { s3 } = await cloudStandIn();
  const state = new JobState(new S3Store(s3, BUCKET), 'state/x/');
  expect(await state.addRow(BATCH, rowOf(2))).toBe(true);
  expect(await state.addRow(BATCH, rowOf(1))).toBe(false);
  expect((await state.rows())[0]?.claim).toBe(2);
});

test('of two claims that write a row at the same time, the higher one stays', async () => {
  const { s3 } = await cloudStandIn();
  const state = new JobState(new S3Store(s3, BUCKET), 'state/x/');
  await Promise.all([1, 2, 3].map((claim) => state.addRow(BATCH, rowOf(claim))));
  expect((await state.rows())[0]?.claim).toBe(3);
});

test('a row that is no JSON is replaced', async () => {
  const { s3 } = await cloudStandIn();
  const store = new S3Store(s3, BUCKET);
  const state = new JobState(store, 'state/x/');
  await store.put('state/x/rows/b000000.json', 'torn');
  expect(await state.addRow(BATCH, rowOf(1))).toBe(true);
  expect(await state.rows()).toHaveLength(1);
});

test('an answer that was lost does not make a claim fail', async () => {
  const cloud = await cloudStandIn();
  const state = new JobState(new S3Store(cloud.s3, BUCKET), 'state/x/');
  let writes = 0;
  cloud.fault = (method) => (method === 'PUT' && writes++ === 0 ? 'lose-answer' : undefined);
  const claimant = { worker: 'w', messageId: 'm', pricePerHour: 0.5 };
  expect(await state.claim(0, claimant)).toBe(1);
  expect(await state.claim(0, { ...claimant, worker: 'another' })).toBeNull();
  expect(await state.prices()).toEqual(new Map([[1, 0.5]]));
});
