import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { batchRange, type BatchRange } from '../../../../src/domain/frame-batch.ts';
import { frameBytes } from '../../../../src/domain/media-info.ts';
import { DecodeStage, writeFrames } from '../../../../src/job/batches/decode-stage.ts';
import { frameBuffer } from '../../../../src/media/decode/decoder.ts';
import { describePipeline } from '../../../../src/pipelines/describe-pipeline.ts';
import { decoderAt, LIMITS, openMedia } from '../../../helpers/media-steps.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';
import { frameFilesOf, jobAtWork, preparedWithoutVideo } from '../job-fixture.ts';

const SIZES = { firstBatchFrames: 4, batchFrames: 3 };
const FRAMES = 10;

function rangeOf(number: number): BatchRange {
  const range = batchRange(SIZES, FRAMES, number);
  if (range === null) throw new Error(`There is no batch ${number}.`);
  return range;
}

/** The stage of a job whose source has 10 frames, in batches of 4, 3 and 3; a damaged source has none that decodes. */
async function openStage({ damaged = false } = {}) {
  const work = await jobAtWork(damaged ? {} : { clip: { frames: FRAMES } });
  const opened = damaged ? preparedWithoutVideo(work) : await openMedia(work.job.sourcePath);
  const { media, index } = opened;
  const { formats } = describePipeline(work.job.recipe, media);
  const files = frameFilesOf(work);
  const decoder = { format: formats.input, maxPixels: LIMITS.inputMegapixels * 1e6 };
  const stage = new DecodeStage({ media, index, formats, files, decoder, log: work.context.log });
  onTestFinished(() => stage.close());

  /** All source frames, by a decoder that begins at the first frame of the file. */
  const sourceFrames = async (): Promise<Buffer[]> => {
    const reader = decoderAt({ media, index, format: formats.input }, 0);
    const frames = Array.from({ length: FRAMES }, () => frameBuffer(formats.input));
    for (const frame of frames) await reader.read(frame);
    await reader.close();
    return frames;
  };
  return { ...work, stage, files, formats, outputBytes: frameBytes(formats.output), sourceFrames };
}

test('each batch gets its own frames, in any order of batches', async () => {
  const { stage, sourceFrames } = await openStage();
  const frames = await sourceFrames();
  for (const number of [0, 2, 1]) {
    const range = rangeOf(number);
    const batch = await stage.run(range);
    expect(batch).toMatchObject({ range, framesReady: 0 });
    const expected = Buffer.concat(frames.slice(range.firstFrame, range.firstFrame + range.frameCount));
    expect(readFileSync(batch.inputPath).equals(expected)).toBe(true);
  }
});

test('the decoder stays open over consecutive batches and is replaced where batches are skipped', async () => {
  const { stage, job, files } = await openStage();
  await stage.run(rangeOf(0));
  // An open decoder still reads the deleted file; a new one would not find it.
  rmSync(job.sourcePath);
  await stage.run(rangeOf(1));
  await stage.run(rangeOf(2));
  await files.drop(rangeOf(1), 'in');
  await expect(stage.run(rangeOf(1))).rejects.toThrow();
});

test('decoded frames that an earlier process has left are used again', async () => {
  const { stage, files, formats } = await openStage({ damaged: true });
  const bytes = 4 * frameBytes(formats.input);
  writeFileSync(await files.place(rangeOf(0), 'in', bytes), Buffer.alloc(bytes, 9));
  const { inputPath } = await stage.run(rangeOf(0));
  expect(readFileSync(inputPath).equals(Buffer.alloc(bytes, 9))).toBe(true);
});

test('half of the decoded frames of a batch are not used: the batch is decoded again', async () => {
  const { stage, files, formats, sourceFrames } = await openStage();
  const bytes = 4 * frameBytes(formats.input);
  writeFileSync(await files.place(rangeOf(0), 'in', bytes), Buffer.alloc(bytes - 1, 9));
  const { inputPath } = await stage.run(rangeOf(0));
  expect(readFileSync(inputPath).equals(Buffer.concat((await sourceFrames()).slice(0, 4)))).toBe(true);
});

test('transformed frames that an earlier process has left are counted, and a half-written one is not', async () => {
  const { stage, files, outputBytes, lines } = await openStage();
  writeFileSync(await files.place(rangeOf(1), 'out', 3 * outputBytes), Buffer.alloc(2.5 * outputBytes));
  expect(await stage.run(rangeOf(1))).toMatchObject({ framesReady: 2 });
  expect(lines).toEqual(['reusing 2 transformed frames from before the interruption, starting at frame 4']);
});

test('a batch whose frames are all transformed is not decoded', async () => {
  const { stage, files, outputBytes } = await openStage({ damaged: true });
  writeFileSync(await files.place(rangeOf(0), 'out', 4 * outputBytes), Buffer.alloc(4 * outputBytes));
  expect(await stage.run(rangeOf(0))).toMatchObject({ framesReady: 4 });
});

test('no more frames are reused than the batch has', async () => {
  const { stage, files, outputBytes } = await openStage({ damaged: true });
  writeFileSync(await files.place(rangeOf(0), 'out', 4 * outputBytes), Buffer.alloc(6 * outputBytes));
  expect(await stage.run(rangeOf(0))).toMatchObject({ framesReady: 4 });
});

test('a batch that is only looked at is decoded, and no place is reserved for transformed frames', async () => {
  const { stage, files, outputBytes, sourceFrames } = await openStage();
  const before = await files.place(rangeOf(0), 'out', 4 * outputBytes);
  writeFileSync(before, Buffer.alloc(4 * outputBytes));
  const { inputPath, range } = await stage.decodeOnly(rangeOf(0));
  expect(range).toEqual(rangeOf(0));
  expect(readFileSync(inputPath).equals(Buffer.concat((await sourceFrames()).slice(0, 4)))).toBe(true);
});

test('a decoder that fails leaves no partial batch that could be mistaken for a complete one', async () => {
  const path = join(temporaryFolder(), 'frames');
  let reads = 0;
  const decoder = {
    read: () => (++reads > 2 ? Promise.reject(new Error('the decoder died')) : Promise.resolve()),
  };
  const noSpill = () => Promise.resolve(null);
  await expect(writeFrames(decoder, 4, path, Buffer.alloc(10), noSpill)).rejects.toThrow('the decoder died');
  expect(readFileSync(path)).toHaveLength(0);
});
