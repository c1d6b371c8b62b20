import { existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { batchRange, type BatchRange } from '../../../../src/domain/frame-batch.ts';
import type { JobPlan, WebGpuUse } from '../../../../src/domain/job.ts';
import { frameBytes, type YuvFormat } from '../../../../src/domain/media-info.ts';
import type { DualFaceRecipe, Recipe, UpscaleRecipe } from '../../../../src/domain/recipe.ts';
import { convertToYuv } from '../../../../src/inference/convert-to-yuv.ts';
import type { Engine } from '../../../../src/inference/engine.ts';
import { createOnnxEngine } from '../../../../src/inference/onnx-engine.ts';
import type { DecodedBatch, TransformedBatch } from '../../../../src/job/batches/batch-record.ts';
import { JobProgress } from '../../../../src/job/batches/job-progress.ts';
import { openPipeline } from '../../../../src/job/batches/open-pipeline.ts';
import { TileMemory } from '../../../../src/job/batches/tile-memory.ts';
import { TransformStage } from '../../../../src/job/batches/transform-stage.ts';
import { withWrittenFormat } from '../../../../src/job/prepare/written-format.ts';
import { findJobModels } from '../../../../src/job/prepare/find-job-models.ts';
import { encodeViews } from '../../../../src/pipelines/dual-face/composition/screen-views.ts';
import { describePipeline } from '../../../../src/pipelines/describe-pipeline.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';
import { engineWithRoomFor } from '../../../helpers/engine-with-room.ts';
import { blindBlazeFace, tinySrvgg } from '../../../helpers/tiny-models.ts';
import { PLAN } from '../../queue/queue-fixture.ts';
import { frameFilesOf, jobAtWork, preparedWithoutVideo } from '../job-fixture.ts';

const LANCZOS: UpscaleRecipe = {
  pipeline: 'upscale',
  model: 'lanczos',
  scale: 2,
  device: 'cpu',
  tile: 'auto',
};
const SIZES = { firstBatchFrames: 4, batchFrames: 3 };
const FRAMES = 10;
const running = new AbortController().signal;

interface StageRequest {
  readonly recipe?: Recipe;
  /** Model file, saved under the name `model.onnx`. */
  readonly model?: Uint8Array;
  readonly engine?: Engine;
  /** Width of the source in pixels. */
  readonly width?: number;
  /** Format in which the decoder delivers frames of the final size. */
  readonly decodedTo?: YuvFormat;
  /** Format in which transformed frames are written. */
  readonly writtenAs?: YuvFormat;
  readonly webGpu?: WebGpuUse;
  readonly directionOf?: (batchNumber: number) => Uint8Array | null;
}

/** The stage of a job with an open pipeline; its source has 10 frames of random pixels, in batches of 4, 3 and 3. */
async function openStage(request: StageRequest = {}) {
  const {
    recipe = LANCZOS,
    model,
    engine,
    width = 32,
    decodedTo,
    writtenAs,
    webGpu,
    directionOf = () => null,
  } = request;
  const work = await jobAtWork({ job: { recipe }, ...(engine === undefined ? {} : { engine }) });
  const { context, home } = work;
  if (model !== undefined) writeFileSync(join(home.models, 'model.onnx'), model);
  const path = (name: string) => (name === 'model.onnx' ? join(home.models, name) : name);
  const job = { ...work.job, recipe: { ...recipe, model: path(recipe.model) } };
  const models = await findJobModels({ ...context, job });
  const plan: JobPlan = {
    ...{ ...PLAN, ...SIZES, tile: null },
    ...(decodedTo === undefined ? {} : { decodedTo }),
    ...(writtenAs === undefined ? {} : { writtenAs }),
    ...(webGpu === undefined ? {} : { webGpu }),
  };
  const withoutVideo = preparedWithoutVideo({ job }, width);
  const pipeline = describePipeline(job.recipe, withoutVideo.media, decodedTo);
  const written = withWrittenFormat(pipeline.formats, withoutVideo.media, plan);
  const prepared = { ...withoutVideo, ...pipeline, ...models, plan, ...written };
  await openPipeline({ ...context, job }, prepared, FRAMES);
  const files = frameFilesOf(work);
  const { formats } = prepared;
  const progress = new JobProgress(context, FRAMES, 0, SIZES.firstBatchFrames);
  const tiles = new TileMemory(context, plan, FRAMES);
  const stage = new TransformStage({
    ...{ inference: context.inference, files, progress, tiles, log: context.log, formats, directionOf },
  });

  /** The batch as the decode stage hands it on. */
  const decoded = async (number: number, framesReady = 0): Promise<DecodedBatch> => {
    const range = rangeOf(number);
    const inputPath = await files.place(range, 'in', 0);
    const outputPath = await files.place(range, 'out', 0);
    const random = seededRandom(number + 1);
    const bytes = range.frameCount * frameBytes(formats.input);
    writeFileSync(
      inputPath,
      Uint8Array.from({ length: bytes }, () => random() * 256),
    );
    return { range, startedAtMs: 7, inputPath, outputPath, framesReady };
  };
  const run = async (number: number, framesReady?: number): Promise<TransformedBatch> =>
    stage.run(await decoded(number, framesReady), running);
  const transforms = () =>
    work.requests.flatMap((request) => (request.kind === 'transform' ? [request] : []));
  return { ...work, stage, progress, formats, toYuv: written.toYuv, decoded, run, transforms };
}

function notNull<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('Frames are not converted.');
  return value;
}

function rangeOf(number: number): BatchRange {
  const range = batchRange(SIZES, FRAMES, number);
  if (range === null) throw new Error(`There is no batch ${number}.`);
  return range;
}

test('frames that the decoder has resized become the transformed ones without a copy', async () => {
  const { stage, decoded, progress, stored } = await openStage({ decodedTo: 'yuv420p' });
  const batch = await decoded(0);
  const before = readFileSync(batch.inputPath);
  const { ino } = statSync(batch.inputPath);
  const { outputPath } = await stage.run(batch, running);
  expect(statSync(outputPath).ino).toBe(ino);
  expect(readFileSync(outputPath)).toEqual(before);
  expect(existsSync(batch.inputPath)).toBe(false);
  progress.store();
  expect(stored().framesDone).toBe(4);
});

test('frames are written in the format of the plan, also those after frames that were ready', async () => {
  const rgb = await openStage();
  const frames = readFileSync((await rgb.run(0)).outputPath);
  const yuv = await openStage({ writtenAs: 'yuv420p' });
  const { outputPath } = await yuv.run(0);
  const written = readFileSync(outputPath);
  const bytes = frameBytes(yuv.formats.output);
  expect(written).toHaveLength(4 * bytes);
  const expected = Buffer.allocUnsafeSlow(bytes);
  convertToYuv(notNull(yuv.toYuv), frames.subarray(0, frames.length / 4), expected);
  expect(written.subarray(0, bytes)).toEqual(expected);

  truncateSync(outputPath, 2 * bytes + 5);
  await yuv.run(0, 2);
  expect(readFileSync(outputPath)).toEqual(written);
});

test.each([
  ['onnxruntime with WebGPU', 'used'],
  ['onnxruntime on the CPU', 'unused'],
])('the first time that %s is chosen, the plan says that WebGPU is %s', async (name, expected) => {
  const request = { recipe: { ...LANCZOS, model: 'model.onnx' }, model: tinySrvgg() };
  const engine = { ...createOnnxEngine('cpu'), name };
  const { stored } = await openStage({ ...request, engine, webGpu: 'undecided' });
  expect(stored().plan).toMatchObject({ webGpu: expected });
});

test('they are copied where the two files are on different disks', async () => {
  const { stage, decoded } = await openStage({ decodedTo: 'yuv420p' });
  const elsewhere = `/dev/shm/framekiln-test-${process.pid}`;
  mkdirSync(elsewhere);
  onTestFinished(() => rmSync(elsewhere, { recursive: true }));
  const batch = { ...(await decoded(0)), outputPath: join(elsewhere, 'b0000.out') };
  const before = readFileSync(batch.inputPath);
  const { outputPath } = await stage.run(batch, running);
  expect(outputPath).toBe(batch.outputPath);
  expect(readFileSync(outputPath)).toEqual(before);
});

test('all frames of a batch are transformed, and the decoded ones are deleted', async () => {
  const { run, decoded, formats } = await openStage();
  const { inputPath } = await decoded(0);
  const done = await run(0);
  expect(done).toMatchObject({ range: rangeOf(0), startedAtMs: 7 });
  expect(readFileSync(done.outputPath)).toHaveLength(4 * frameBytes(formats.output));
  expect(existsSync(inputPath)).toBe(false);
});

test('frames of every batch count as progress', async () => {
  const { run, progress, stored, lines } = await openStage();
  for (const number of [0, 1, 2]) await run(number);
  progress.store();
  expect(stored().framesDone).toBe(10);
  expect(lines.findLast((line) => line.includes(' % · '))).toContain('10 of 10 frames');
});

test('reused frames are not transformed again, and the result is the same', async () => {
  const whole = await openStage();
  const expected = readFileSync((await whole.run(0)).outputPath);
  const { decoded, stage, formats, progress, stored, transforms } = await openStage();
  const batch = await decoded(0, 3);
  writeFileSync(batch.outputPath, expected.subarray(0, 3 * frameBytes(formats.output)));
  const done = await stage.run(batch, running);
  expect(readFileSync(done.outputPath)).toEqual(expected);
  expect(transforms()).toMatchObject([{ framesReady: 3, batch: rangeOf(0) }]);
  progress.store();
  expect(stored().framesDone).toBe(4);
});

test('a batch of which all frames are reused is not sent to the inference thread', async () => {
  const { run, requests, progress, stored } = await openStage();
  expect(await run(0, 4)).toMatchObject({ range: rangeOf(0) });
  expect(requests).toEqual([]);
  progress.store();
  expect(stored()).toMatchObject({ framesDone: 4, framesPerSecond: null });
});

const SPLIT_SCREEN: DualFaceRecipe = {
  ...{ pipeline: 'dual-face', model: 'model.onnx', device: 'cpu', width: 32, height: 24 },
  ...{ layout: 'side-by-side', detectEvery: 2, missing: 'wide' },
};
/** Shows the whole image in every frame of the batch. */
function directionOf(number: number): Uint8Array {
  const { firstFrame, frameCount } = rangeOf(number);
  const views = Array.from({ length: frameCount }, () => ({
    layout: 'stacked' as const,
    panes: [],
    whole: 1,
  }));
  return encodeViews(firstFrame, views);
}

test('a pipeline with analysis gets the direction of each batch', async () => {
  const { run, transforms, formats } = await openStage({
    ...{ recipe: SPLIT_SCREEN, model: blindBlazeFace(), directionOf },
  });
  for (const number of [0, 1, 2]) {
    const { outputPath } = await run(number);
    expect(readFileSync(outputPath)).toHaveLength(rangeOf(number).frameCount * frameBytes(formats.output));
  }
  expect(transforms().map(({ direction }) => direction)).toEqual([0, 1, 2].map(directionOf));
});

test('without its direction, no frame of a split screen is drawn', async () => {
  const { run } = await openStage({ recipe: SPLIT_SCREEN, model: blindBlazeFace() });
  await expect(run(0)).rejects.toThrow('without a direction');
});

const WITH_MODEL: Recipe = { ...LANCZOS, model: 'model.onnx', scale: 4 };

test('a tile size that is reduced for lack of memory is stored in the plan once', async () => {
  const { engine, runs } = engineWithRoomFor(80 * 24);
  const { run, lines, stored } = await openStage({
    ...{ recipe: WITH_MODEL, model: tinySrvgg(), engine, width: 96 },
  });
  for (const number of [0, 1]) await run(number);
  // The model has been tried with images of its own before.
  expect(runs.find(({ passed }) => !passed)).toEqual({ width: 96, passed: false });
  const tile = stored().plan?.tile;
  expect(tile).toBeGreaterThanOrEqual(32);
  expect(tile).toBeLessThan(96);
  expect(lines.filter((line) => line.includes('tile size reduced'))).toEqual([
    `out of memory; tile size reduced to ${tile} px`,
  ]);
});

test('a failed batch keeps its decoded frames for the next attempt', async () => {
  const { decoded, stage } = await openStage();
  const batch = await decoded(0);
  truncateSync(batch.inputPath, 10);
  await expect(stage.run(batch, running)).rejects.toThrow('ends before the end of frame 0');
  expect(existsSync(batch.inputPath)).toBe(true);
});
