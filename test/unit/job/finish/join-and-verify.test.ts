import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { VerificationError } from '../../../../src/domain/errors.ts';
import { processBatches } from '../../../../src/job/batches/process-batches.ts';
import { joinAndVerify } from '../../../../src/job/finish/join-and-verify.ts';
import { prepareJob } from '../../../../src/job/prepare/prepare-job.ts';
import type { PreparedJob } from '../../../../src/job/prepare/prepared-job.ts';
import { withShifts } from '../../../../src/media/join/stream-plan.ts';
import { frameMd5 } from '../../../helpers/clips.ts';
import { jobAtWork } from '../job-fixture.ts';

/** A job whose batches are all committed; its source has 10 frames and an audio track. */
async function transformed() {
  const work = await jobAtWork({ clip: { frames: 10, audio: true } });
  // A time that utimes can set again exactly.
  utimesSync(work.job.sourcePath, 1_000, 1_000);
  const prepared = await prepareJob(work.context, work.folder);
  await processBatches(work.context, work.folder, prepared);
  work.lines.length = 0;
  const join = (changes: Partial<PreparedJob> = {}) =>
    joinAndVerify(work.context, work.folder, { ...prepared, ...changes });
  const outputs = () => readdirSync(dirname(prepared.outputPath));
  return { ...work, prepared, join, outputs };
}

const VERIFYING = 'joined the segments; verifying every frame of the result';

test('the segments are joined with the audio of the source under a temporary name', async () => {
  const { join, prepared, outputs, stored, lines } = await transformed();
  const { temporaryPath, streams } = await join();
  expect(outputs().map((name) => `${dirname(temporaryPath)}/${name}`)).toEqual([temporaryPath]);
  expect(existsSync(prepared.outputPath)).toBe(false);
  expect(frameMd5(temporaryPath)).toHaveLength(10);
  expect(streams).toBe(prepared.streams);
  expect(streams.fates).toMatchObject([{ codec: 'copy' }]);
  expect(stored().stage).toBe('verify');
  expect(lines).toEqual([VERIFYING]);
});

test('an audio track that is out of sync is moved back and joined again', async () => {
  const { join, prepared, lines } = await transformed();
  // A bit stream filter that delays the track.
  const fates = prepared.streams.fates.map((fate) => ({ ...fate, filter: 'setts=ts=TS+0.2/TB' }));
  const { streams } = await join({ streams: { ...prepared.streams, fates } });
  expect(streams.fates[0]?.movedSeconds).toBeCloseTo(-0.2, 2);
  expect(lines).toEqual([
    VERIFYING,
    expect.stringMatching(
      /audio track 1 out of sync \(it starts \d+ ms too late\); joining again with these tracks shifted into sync/,
    ),
    VERIFYING,
  ]);
});

test('an audio track that is still out of sync after a move is converted', async () => {
  const { join, prepared, lines } = await transformed();
  const index = prepared.media.others[0]?.index ?? -1;
  const { streams } = await join({ streams: withShifts(prepared.streams, new Map([[index, 0.2]])) });
  expect(streams.fates).toMatchObject([
    { codec: 'aac', reason: 'out of sync if copied (still out of sync after a shift)' },
  ]);
  expect(streams.fates[0]?.movedSeconds).toBeUndefined();
  expect(lines.filter((line) => line === VERIFYING)).toHaveLength(2);
});

test('a track that cannot be copied is left out and the rest is joined again', async () => {
  const { join, prepared, lines } = await transformed();
  // A bit stream filter of another codec, which ffmpeg rejects.
  const fates = prepared.streams.fates.map((fate) => ({ ...fate, filter: 'hevc_mp4toannexb' }));
  const { streams, temporaryPath } = await join({ streams: { ...prepared.streams, fates } });
  expect(streams.fates).toMatchObject([
    { codec: null, reason: expect.stringMatching(/^cannot be copied \(/) as string },
  ]);
  expect(frameMd5(temporaryPath)).toHaveLength(10);
  expect(lines.at(-2)).toMatch(/joining again without the tracks that are empty or cannot be muxed$/);
  expect(lines.at(-1)).toBe(VERIFYING);
});

test('a failure that no other choice of tracks would mend leaves no temporary file', async () => {
  const { join, folder, outputs, lines } = await transformed();
  for (const name of readdirSync(folder.segments)) writeFileSync(folder.segmentPath(name), 'not a segment');
  await expect(join()).rejects.toThrow(VerificationError);
  expect(outputs()).toEqual([]);
  expect(lines).toEqual([]);
});

test('a segment that has changed since it was verified is found, even if the result can be decoded', async () => {
  const { join, folder, outputs, context, job } = await transformed();
  const segmentName = context.queue.batches.listBatches(job.id)[0]?.segmentName ?? '';
  const bytes = readFileSync(folder.segmentPath(segmentName));
  // The name of the encoder, in the first packet.
  bytes.write('X264', bytes.indexOf('x264 - core'), 'latin1');
  writeFileSync(folder.segmentPath(segmentName), bytes);
  await expect(join()).rejects.toThrow(/has changed since it was verified; its batch is processed again/);
  expect(outputs()).toEqual([]);
});

test('nothing is joined when the source was replaced or removed since its frames were read', async () => {
  const { join, job, outputs } = await transformed();
  writeFileSync(job.sourcePath, 'another video');
  await expect(join()).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
  rmSync(job.sourcePath);
  await expect(join()).rejects.toMatchObject({ code: 'SOURCE_MISSING' });
  expect(outputs()).toEqual([]);
});

test('nothing is joined when the source was overwritten in place with a file of the same size and time', async () => {
  const { join, job, outputs } = await transformed();
  const bytes = readFileSync(job.sourcePath);
  bytes.fill(0, bytes.length - 64);
  writeFileSync(job.sourcePath, bytes);
  utimesSync(job.sourcePath, 1_000, 1_000);
  await expect(join()).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
  expect(outputs()).toEqual([]);
});
