import { expect, test } from 'vitest';
import { SAFE_DEFAULTS } from '../../../../src/config/settings.ts';
import type { Job, JobPlan } from '../../../../src/domain/job.ts';
import type { ModelFile } from '../../../../src/domain/models.ts';
import type { DualFaceRecipe, Recipe, UpscaleRecipe } from '../../../../src/domain/recipe.ts';
import type { DeviceMemories } from '../../../../src/job/prepare/device-memory.ts';
import { chooseTiles, tiledModel, tilesAfterCrashes } from '../../../../src/job/prepare/tile-sizes.ts';
import { sourceOf } from '../../../helpers/upscale-source.ts';
import { PLAN } from '../../queue/queue-fixture.ts';
import { jobAtWork } from '../job-fixture.ts';

const MODEL: ModelFile = {
  ...{ name: 'tiny', path: '/nowhere/tiny.onnx', sha256: 'ab', bytes: 1, licence: null },
  ...{ architecture: 'srvgg', overlap: 10 },
};
const RECIPE: UpscaleRecipe = {
  ...{ pipeline: 'upscale', model: 'tiny', scale: 4, device: 'auto', tile: 'auto' },
};
const PLENTY = 2 ** 40;
/** Room for about 130 x 130 pixels on the CPU after half of it is left to frames. */
const SHORT = 2 * 130 * 130 * 1900;

function memories(cpuBytes: number, gpuBytes: number | null): DeviceMemories {
  const gpu = gpuBytes === null ? null : { name: 'GPU', totalBytes: gpuBytes, freeBytes: gpuBytes };
  return { cpu: { name: 'cpu', totalBytes: PLENTY, freeBytes: cpuBytes }, gpu };
}

/** A context of a job with `changes`; half of the memory goes to frames. */
async function contextOf(changes: Partial<Job>) {
  const work = await jobAtWork();
  const settings = { ...work.context.settings, workspace: SAFE_DEFAULTS.workspace };
  return { ...work, context: { ...work.context, settings, job: { ...work.job, ...changes } } };
}

const SPLIT_SCREEN: DualFaceRecipe = {
  ...{ pipeline: 'dual-face', model: 'yunet', device: 'cpu', width: 64, height: 64 },
  ...{ layout: 'stacked', detectEvery: 1, missing: 'wide' },
};

const ENHANCER: ModelFile = { ...MODEL, name: 'enhancer' };

test.each<[string, Recipe, ModelFile | null, ModelFile | null, ModelFile | null]>([
  ['an upscale', RECIPE, MODEL, null, MODEL],
  ['an upscale without a model', RECIPE, null, null, null],
  ['a split screen', SPLIT_SCREEN, MODEL, null, null],
  ['a split screen with enhanced close-ups', SPLIT_SCREEN, MODEL, ENHANCER, ENHANCER],
])('which model of %s works in tiles', (_, recipe, model, enhancer, expected) => {
  expect(tiledModel(recipe, { model, enhancer })).toBe(expected);
});

test('the model that enhances close-ups gets tiles for the whole source', async () => {
  const { context } = await contextOf({ recipe: SPLIT_SCREEN });
  const work = {
    media: sourceOf(640, 480),
    model: MODEL,
    enhancer: ENHANCER,
    memories: memories(SHORT, null),
  };
  expect(chooseTiles(context, work)).toEqual({ tile: 96 });
});

test.each([
  ['the whole frame where memory allows it', PLENTY, null],
  ['the largest tile that fits otherwise', SHORT, 96],
  ['a tile of 32 pixels where almost no memory is free', 1, 32],
])('a job on the CPU gets %s', async (_, cpuBytes, tile) => {
  const { context } = await contextOf({ recipe: { ...RECIPE, device: 'cpu' } });
  const work = { media: sourceOf(640, 480), model: MODEL, memories: memories(cpuBytes, null) };
  expect(chooseTiles(context, work)).toEqual({ tile });
});

test('the tile size of the recipe is taken whatever memory is free, and is dropped where the frame is no larger', async () => {
  const { context } = await contextOf({ recipe: { ...RECIPE, tile: 200 } });
  const work = { model: MODEL, memories: memories(1, 1) };
  expect(chooseTiles(context, { ...work, media: sourceOf(640, 480) })).toEqual({ tile: 200, gpuTile: 200 });
  expect(chooseTiles(context, { ...work, media: sourceOf(200, 100) })).toEqual({ tile: null, gpuTile: null });
});

test('a model that needs whole frames gets no tiles, and its job fails where memory is short', async () => {
  const { context } = await contextOf({ recipe: RECIPE });
  const cugan: ModelFile = { ...MODEL, architecture: 'cugan' };
  const work = { media: sourceOf(640, 480), model: cugan, memories: memories(PLENTY, SHORT) };
  expect(chooseTiles(context, work)).toEqual({ tile: null, gpuTile: null });
  // Free memory comes and goes; a job fails only where the machine has too little.
  expect(chooseTiles(context, { ...work, memories: memories(SHORT, null) }).tile).toBeNull();
  const short = {
    ...work,
    memories: { ...memories(SHORT, PLENTY), cpu: { ...memories(SHORT, null).cpu, totalBytes: SHORT } },
  };
  expect(() => chooseTiles(context, short)).toThrow(
    'Real-CUGAN needs about 3.6 GB of memory for a whole frame of 640x480, and only 0.0 GB can be used',
  );
  const onGpu = await contextOf({ recipe: { ...RECIPE, device: 'gpu-only' } });
  expect(chooseTiles(onGpu.context, short).gpuTile).toBeNull();
  const crashed = await contextOf({ recipe: RECIPE, errorCode: 'WORKER_CRASHED', attempts: 3 });
  const plan: JobPlan = { ...PLAN, tile: null };
  expect(tilesAfterCrashes(crashed.context, short, plan)).toEqual(plan);
});

test('the GPU gets a tile size by its own memory', async () => {
  const { context } = await contextOf({ recipe: RECIPE });
  const media = sourceOf(640, 480);
  const large = chooseTiles(context, { media, model: MODEL, memories: memories(SHORT, PLENTY) });
  expect(large).toEqual({ tile: 96, gpuTile: null });
  const small = chooseTiles(context, { media, model: MODEL, memories: memories(PLENTY, 2 ** 20) });
  expect(small).toEqual({ tile: null, gpuTile: 32 });
});

test('with our kernels the GPU gets tiles by the memory that they need', async () => {
  const { context } = await contextOf({ recipe: RECIPE });
  const work = { media: sourceOf(640, 480), model: MODEL, memories: memories(PLENTY, 2 ** 29) };
  expect(chooseTiles(context, work).gpuTile).toBeLessThan(480);
  // Another engine may have to take over.
  const otherGpuTile = chooseTiles(context, work).gpuTile;
  expect(chooseTiles(context, { ...work, kernelBytesPerPixel: 272 })).toEqual({
    ...{ tile: null, gpuTile: null, otherGpuTile },
  });
  const half = { ...work, memories: memories(PLENTY, 2 ** 27), kernelBytesPerPixel: 272 };
  expect(chooseTiles(context, half).gpuTile).toBeLessThan(640);
  const chosen = { ...context, job: { ...context.job, recipe: { ...RECIPE, tile: 200 } } };
  expect(chooseTiles(chosen, { ...work, kernelBytesPerPixel: 272 })).toEqual({ tile: 200, gpuTile: 200 });
});

test('a GPU that does not report its memory gets a moderate tile size', async () => {
  const { context } = await contextOf({ recipe: RECIPE });
  const work = { media: sourceOf(640, 480), model: MODEL, memories: memories(PLENTY, null) };
  expect(chooseTiles(context, work)).toEqual({ tile: null, gpuTile: 256 });
});

test('a job without a model has no tile size', async () => {
  const { context } = await contextOf({});
  const work = { media: sourceOf(640, 480), model: null, memories: null };
  expect(chooseTiles(context, work)).toEqual({ tile: null });
});

const CRASHED = { recipe: RECIPE, errorCode: 'WORKER_CRASHED', attempts: 3 };
const WORK = { media: sourceOf(640, 480), model: MODEL, memories: null };

test.each<[string, Partial<JobPlan>, Partial<JobPlan>, string]>([
  ['tiles', { tile: 128 }, { tile: 64 }, '64 px'],
  [
    'tiles on the GPU too',
    { tile: 128, gpuTile: 256 },
    { tile: 64, gpuTile: 128 },
    '64 px on the CPU and 128 px on the GPU',
  ],
  [
    'whole frames',
    { tile: null, gpuTile: null },
    { tile: 320, gpuTile: 320 },
    '320 px on the CPU and 320 px on the GPU',
  ],
  ['tiles larger than the frame', { tile: 2048 }, { tile: 320 }, '320 px'],
  [
    'tiles that are the smallest on the CPU',
    { tile: 32, gpuTile: 128 },
    { tile: 32, gpuTile: 64 },
    '64 px on the GPU',
  ],
])(
  'after two crashes in a row %s get half the edge, and the rest of the plan stays',
  async (_, before, after, sizes) => {
    const { context, lines } = await contextOf(CRASHED);
    const plan = { ...PLAN, ...before };
    expect(tilesAfterCrashes(context, WORK, plan)).toEqual({ ...plan, ...after });
    expect(lines).toEqual([
      `the worker crashed again before finishing a batch, perhaps because memory ran out; tile size reduced to ${sizes}`,
    ]);
  },
);

test('the smallest tiles stay, and nothing says that they were reduced', async () => {
  const { context, lines } = await contextOf(CRASHED);
  const plan = { ...PLAN, tile: 32 };
  expect(tilesAfterCrashes(context, WORK, plan)).toEqual(plan);
  expect(lines).toEqual([]);
});

test.each<[string, Partial<Job>, ModelFile | null]>([
  ['one crash', { attempts: 2 }, MODEL],
  ['two failures that are no crash', { errorCode: 'ENGINE_FAILED' }, MODEL],
  ['two crashes of a job without tiles', {}, null],
])('the tile size stays after %s', async (_, changes, model) => {
  const { context, lines } = await contextOf({ ...CRASHED, ...changes });
  expect(tilesAfterCrashes(context, { ...WORK, model }, PLAN)).toBe(PLAN);
  expect(lines).toEqual([]);
});
