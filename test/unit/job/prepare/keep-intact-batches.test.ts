import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LeaseLostError } from '../../../../src/domain/errors.ts';
import { keepIntactBatches } from '../../../../src/job/prepare/keep-intact-batches.ts';
import { commitFakeSegment, jobAtWork } from '../job-fixture.ts';

const numbersOf = (batches: readonly { readonly number: number }[]) => batches.map(({ number }) => number);

test('batches whose segments are intact are kept, in order and without a log line', async () => {
  const work = await jobAtWork();
  for (const number of [0, 1]) await commitFakeSegment(work, number);
  const kept = await keepIntactBatches(work.context, work.folder);
  expect(kept).toEqual(work.queue.batches.listBatches(work.job.id));
  expect(numbersOf(kept)).toEqual([0, 1]);
  expect(work.lines).toEqual([]);
});

test.each([
  ['missing', (path: string) => rmSync(path)],
  ['shorter', (path: string) => writeFileSync(path, 'segment')],
  ['of the same size with other bytes', (path: string) => writeFileSync(path, 'sEgment 1')],
])('a batch whose segment is %s loses its row, and its frames count as not done', async (_, damage) => {
  const work = await jobAtWork();
  const paths = [];
  for (const number of [0, 1, 2]) paths.push(await commitFakeSegment(work, number));
  damage(paths[1] ?? '');
  expect(numbersOf(await keepIntactBatches(work.context, work.folder))).toEqual([0, 2]);
  expect(numbersOf(work.queue.batches.listBatches(work.job.id))).toEqual([0, 2]);
  expect(work.stored().framesDone).toBe(60);
  expect(work.lines).toEqual(['segment of batch 1 is missing or damaged; processing 30 frames again']);
  // The damaged file is named by no row any more.
  expect(paths.map((path) => existsSync(path))).toEqual([true, false, true]);
});

test('segments that no row names are removed from the segment folder, and other files stay', async () => {
  const work = await jobAtWork();
  const path = await commitFakeSegment(work, 0);
  for (const name of ['b0001.1.mp4.tmp', 'b0000.7.mp4', 'notes.txt'])
    writeFileSync(join(work.folder.segments, name), 'x');
  await keepIntactBatches(work.context, work.folder);
  const name = path.slice(work.folder.segments.length + 1);
  expect(readdirSync(work.folder.segments)).toEqual([name, 'notes.txt']);
  await work.folder.remove();
  expect(readdirSync(work.folder.path).sort()).toEqual(['.framekiln-home', 'segments']);
  expect(readdirSync(work.folder.segments)).toEqual(['notes.txt']);
});

test('a worker whose lease is lost removes no file, however little its rows name', async () => {
  const work = await jobAtWork();
  await commitFakeSegment(work, 0);
  work.loseLease();
  writeFileSync(join(work.folder.segments, 'b0001.2.mp4.tmp'), 'the next worker encodes here');
  await expect(keepIntactBatches(work.context, work.folder)).rejects.toThrow(LeaseLostError);
  expect(readdirSync(work.folder.segments)).toEqual(['b0000.1.mp4', 'b0001.2.mp4.tmp']);
});

test('a worker whose lease is lost removes no row of a damaged segment', async () => {
  const work = await jobAtWork();
  rmSync(await commitFakeSegment(work, 0));
  work.loseLease();
  await expect(keepIntactBatches(work.context, work.folder)).rejects.toThrow(LeaseLostError);
  expect(numbersOf(work.queue.batches.listBatches(work.job.id))).toEqual([0]);
});

test('a stopped job checks no further segment', async () => {
  const work = await jobAtWork();
  rmSync(await commitFakeSegment(work, 0));
  const signal = AbortSignal.abort(new Error('paused'));
  await expect(keepIntactBatches({ ...work.context, signal }, work.folder)).rejects.toThrow('paused');
  expect(work.lines).toEqual([]);
});
