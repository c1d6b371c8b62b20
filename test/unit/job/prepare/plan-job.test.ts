import { expect, test } from 'vitest';
import { SAFE_DEFAULTS } from '../../../../src/config/settings.ts';
import { ModelError } from '../../../../src/domain/errors.ts';
import type { Job, JobPlan } from '../../../../src/domain/job.ts';
import type { ModelFile } from '../../../../src/domain/models.ts';
import { isCpuAddonBuilt } from '../../../../src/inference/cpu-engine.ts';
import { canConvertToYuv } from '../../../../src/inference/yuv-converter.ts';
import { planJob, type PlanInputs } from '../../../../src/job/prepare/plan-job.ts';
import { describePipeline } from '../../../../src/pipelines/describe-pipeline.ts';
import { sourceOf } from '../../../helpers/upscale-source.ts';
import { PLAN } from '../../queue/queue-fixture.ts';
import { jobAtWork, type JobRequest } from '../job-fixture.ts';

const MODEL: ModelFile = {
  ...{ name: 'tiny', path: '/nowhere/tiny.onnx', sha256: 'ab', bytes: 1, licence: null },
  ...{ architecture: 'srvgg', overlap: 2 },
};
const FACES: ModelFile = { ...MODEL, name: 'face-recognition', sha256: 'fa', architecture: null, overlap: 0 };
const RECIPE = { pipeline: 'upscale', model: 'tiny', scale: 2, device: 'cpu', tile: 'auto' } as const;
const STORED: JobPlan = { ...PLAN, modelSha256: MODEL.sha256 };

/** Plans a job, with `changes` to its row, that upscales a video of 64x48. */
async function planned(
  changes: Partial<Job> = {},
  inputs: Partial<PlanInputs> = {},
  settings: JobRequest['settings'] = {},
) {
  const work = await jobAtWork({ settings, job: { recipe: RECIPE } });
  const media = sourceOf(64, 48);
  const pipeline = describePipeline(RECIPE, media);
  return planJob(
    { ...work.context, job: { ...work.job, ...changes } },
    { media, model: MODEL, embedding: null, ...pipeline, memories: null, ...inputs },
  );
}

test('a new job is planned by the settings, with the checksums of its models', async () => {
  const plan = await planned(
    {},
    {},
    {
      batch: { firstFrames: 3, frames: 7 },
      encoder: { ...SAFE_DEFAULTS.encoder, nvenc: false, crf: 11, preset: 'fast', codec: 'hevc' },
    },
  );
  expect(plan).toMatchObject({
    ...{ firstBatchFrames: 3, batchFrames: 7, codec: 'hevc', tile: null },
    encoder: { crf: 11, preset: 'fast', chroma: '420', lowLatency: SAFE_DEFAULTS.encoder.lowLatency },
    ...{ modelSha256: 'ab', embeddingSha256: null },
  });
});

test('a new job notes whether the CPU engine is there, and a stored plan keeps what it says', async () => {
  const noted = (precision: string) => (isCpuAddonBuilt() ? precision : undefined);
  expect((await planned()).precision).toBe(noted('fast'));
  const rrdb = { ...MODEL, architecture: 'rrdb' } as const;
  expect((await planned({}, { model: rrdb })).precision).toBe(noted('balanced'));
  const engine = { ...SAFE_DEFAULTS.engine, precision: 'exact' } as const;
  expect((await planned({}, {}, { engine })).precision).toBe(noted('exact'));
  expect((await planned({ plan: STORED })).precision).toBeUndefined();
  expect((await planned({ plan: { ...STORED, precision: 'exact' } })).precision).toBe('exact');
});

test('a new job notes what resizes its frames, and a stored plan keeps what it says', async () => {
  expect(await planned()).toMatchObject({ shrinksWith: 'sharp' });
  expect(await planned()).not.toHaveProperty('decodedTo');
  const lanczos = await planned({}, { model: null, decodedTo: 'yuv420p' });
  expect(lanczos).toMatchObject({ decodedTo: 'yuv420p' });
  expect(lanczos).not.toHaveProperty('shrinksWith');
  const stored = await planned({ plan: STORED });
  expect(stored).not.toHaveProperty('shrinksWith');
  expect(stored).not.toHaveProperty('decodedTo');
});

test('a new job of a video notes that its frames are written as YUV, and a stored plan keeps what it says', async () => {
  const video = { container: 'mp4' } as const;
  const noted = (pixelFormat: string) => (canConvertToYuv() ? pixelFormat : undefined);
  expect((await planned({}, video)).writtenAs).toBe(noted('yuv420p'));
  expect((await planned({}, { container: 'gif' })).writtenAs).toBe(noted('yuv444p'));
  // A still image.
  expect(await planned()).not.toHaveProperty('writtenAs');
  expect(await planned({ plan: STORED }, video)).not.toHaveProperty('writtenAs');
  const kept = await planned({ plan: { ...STORED, writtenAs: 'yuv420p' } }, video);
  expect(kept).toMatchObject({ writtenAs: 'yuv420p' });
});

test('a new job measures WebGPU, unless its recipe rules out GPUs, and a stored plan keeps what it says', async () => {
  expect(await planned()).not.toHaveProperty('webGpu');
  const recipe = { ...RECIPE, device: 'auto' } as const;
  expect(await planned({ recipe })).toMatchObject({ webGpu: 'undecided' });
  expect(await planned({ recipe }, { model: null })).not.toHaveProperty('webGpu');
  expect(await planned({ recipe, plan: STORED })).not.toHaveProperty('webGpu');
  expect(await planned({ recipe, plan: { ...STORED, webGpu: 'used' } })).toMatchObject({ webGpu: 'used' });
});

test('the frames of a model are divided only if its architecture is known', async () => {
  expect(await planned()).toMatchObject({ reusesTiles: true });
  expect(await planned({}, { model: { ...MODEL, architecture: null } })).not.toHaveProperty('reusesTiles');
});

test('batches of a new job are so small that the batches in flight fit the memory for frames', async () => {
  const plan = await planned(
    {},
    {
      formats: {
        input: { width: 30_000, height: 30_000, pixelFormat: 'rgb48le' },
        // 1.4 TB each: not one of them fits, and a batch holds at least one.
        output: { width: 480_000, height: 480_000, pixelFormat: 'rgb48le' },
      },
    },
    { limits: { ...SAFE_DEFAULTS.limits, outputMegapixels: 1e6 } },
  );
  expect(plan).toMatchObject({ firstBatchFrames: 1, batchFrames: 1 });
});

test('a new job keeps the chroma of its source where the settings ask for it', async () => {
  const media = { ...sourceOf(64, 48) };
  const encoder = { ...SAFE_DEFAULTS.encoder, nvenc: false, chroma: 'source' as const };
  const fine = { ...media, video: { ...media.video, pixelFormat: 'yuv444p' } };
  expect(await planned({}, { media: fine }, { encoder })).toMatchObject({ encoder: { chroma: '444' } });
  expect(await planned({}, { media }, { encoder })).toMatchObject({ encoder: { chroma: '420' } });
});

test('a new job whose output exceeds the limit is rejected with the size and the setting', async () => {
  const limits = { ...SAFE_DEFAULTS.limits, outputMegapixels: 0.01 };
  await expect(planned({}, {}, { limits })).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
    message: 'clip.mp4 would become 128x96, which exceeds limits.outputMegapixels (0.01).',
  });
});

test('a resumed job keeps its stored plan whatever the settings and limits say now', async () => {
  const plan = await planned(
    { plan: STORED },
    {},
    {
      batch: { firstFrames: 3, frames: 7 },
      encoder: { ...SAFE_DEFAULTS.encoder, crf: 11, codec: 'hevc', nvenc: true },
      limits: { ...SAFE_DEFAULTS.limits, outputMegapixels: 0.01 },
    },
  );
  expect(plan).toMatchObject(STORED);
});

test.each<[string, Partial<JobPlan>, Partial<PlanInputs>, string]>([
  [
    'another version of its model',
    {},
    { model: { ...MODEL, sha256: 'cd' } },
    'with another version of the model tiny',
  ],
  ['no model any more', {}, { model: null }, 'with another version of the model tiny'],
  [
    'another version of the face recognition model',
    { embeddingSha256: 'fe' },
    { embedding: FACES },
    'with another version of the face recognition model',
  ],
  [
    'the face recognition model removed',
    { embeddingSha256: 'fa' },
    {},
    'with another version of the face recognition model',
  ],
])('a resumed job that finds %s ends with an explanation', async (_, plan, inputs, expected) => {
  const failure = planned({ plan: { ...STORED, ...plan } }, inputs);
  await expect(failure).rejects.toThrow(ModelError);
  await expect(failure).rejects.toMatchObject({
    code: 'MODEL_CHECKSUM',
    message: `The job was started ${expected}; to start over, cancel and retry the job.`,
  });
});

test.each<[string, Partial<JobPlan>, ModelFile | null]>([
  ['with the same face recognition model', { embeddingSha256: 'fa' }, FACES],
  ['without the face recognition model, as before', { embeddingSha256: null }, null],
  ['with a plan from before there was a face recognition model', {}, FACES],
])('a job resumes %s', async (_, changes, embedding) => {
  const plan = { ...STORED, ...changes };
  expect(await planned({ plan }, { embedding })).toMatchObject(plan);
});

test('a job resumed after two crashes gets half the tile size, and only that', async () => {
  const crashed = { plan: STORED, errorCode: 'WORKER_CRASHED', attempts: 3 };
  expect(await planned(crashed, { media: sourceOf(640, 480) })).toMatchObject({ ...STORED, tile: 64 });
});

test.each(['source', 'mkv', 'webm'] as const)('a new plan keeps its container: %s', async (container) => {
  expect(await planned({}, { container })).toMatchObject({ container });
});
