import { expect, test, vi } from 'vitest';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import type { Job } from '../../../src/domain/job.ts';
import { Estimator } from '../../../src/daemon/estimator.ts';
import type { PastJob } from '../../../src/domain/estimate.ts';
import type { Recipe } from '../../../src/domain/recipe.ts';
import { NO_SPEEDS, type Speeds } from '../../../src/trial/speeds-file.ts';
import { newJob, VIDEO } from '../queue/queue-fixture.ts';

test('ten thousand files that are queued at once read the history once', async () => {
  const clock = { ms: 0 };
  const pastJobs = vi.fn(() => [{ video: VIDEO, frames: 100, workMs: 8000, segmentBytes: 50_000 }]);
  const queue = { history: { pastJobs } };
  const estimator = new Estimator({
    ...{ queue, settings: () => SAFE_DEFAULTS, now: () => clock.ms },
    speeds: () => Promise.resolve(NO_SPEEDS),
  });
  const job = { recipe: newJob().recipe, video: VIDEO };
  const all = await Promise.all(Array.from({ length: 10_000 }, () => estimator.estimate(job)));
  expect(pastJobs).toHaveBeenCalledTimes(1);
  // Six hundred small frames in each of three batches, 64x48 and 128x96 of three bytes: the free memory of any machine is enough.
  const memoryBytes = 3 * 600 * 3 * (64 * 48 + 128 * 96);
  expect(new Set(all.map((estimate) => JSON.stringify(estimate)))).toEqual(
    new Set([
      JSON.stringify({ diskBytes: 110_000, memoryBytes, jobCount: 1, seconds: 8, basis: 'past-jobs' }),
    ]),
  );
  clock.ms = 10_000;
  await estimator.estimate(job);
  expect(pastJobs).toHaveBeenCalledTimes(2);
  expect(await estimator.estimate({ ...job, video: null })).toBeNull();
});

test('without earlier jobs, the time is that of the measured speed, and a job counts more than a measurement', async () => {
  const past = vi.fn<() => PastJob[]>(() => []);
  const speeds: Speeds = { core: { msPerProduct: 1e-4, msPerEncodedPixel: 0, cores: 2 }, models: {} };
  const recipe = { ...newJob().recipe, model: 'lanczos', scale: 2 } as Recipe;
  const create = () =>
    new Estimator({
      ...{ queue: { history: { pastJobs: past } }, settings: () => SAFE_DEFAULTS, now: () => 0 },
      speeds: () => Promise.resolve(speeds),
    });
  // 128x96 output pixels of 27 products, which ffmpeg computes 25 times as fast as our resampler: 1.3 ms a frame.
  const frameMs = 128 * 96 * 27 * 1e-4 * 0.04;
  const seconds = (1500 + VIDEO.frames * frameMs) / 1000;
  const estimate = await create().estimate({ recipe, video: VIDEO });
  expect(estimate?.seconds).toBeCloseTo(seconds, 2);
  expect(estimate?.basis).toBe('measurement');
  past.mockReturnValue([{ video: VIDEO, frames: 100, workMs: 8000, segmentBytes: 50_000 }]);
  expect(await create().estimate({ recipe, video: VIDEO })).toMatchObject({ basis: 'past-jobs', seconds: 8 });
});

test('a model that was not measured has no estimate, and neither has one that does not exist', async () => {
  const core = { msPerProduct: 1e-4, msPerEncodedPixel: 0, cores: 2 };
  const estimator = new Estimator({
    ...{ queue: { history: { pastJobs: () => [] } }, settings: () => SAFE_DEFAULTS, now: () => 0 },
    speeds: () => Promise.resolve({ core, models: {} }),
  });
  for (const model of ['realesr-general-x4v3', 'unheard-of', '/nowhere/mine.onnx']) {
    const recipe = { ...newJob().recipe, model } as Recipe;
    expect(await estimator.estimate({ recipe, video: VIDEO })).toMatchObject({ seconds: null, basis: null });
  }
});

test('a still image needs one frame of memory and no segments', async () => {
  const queue = { history: { pastJobs: () => [] } };
  const estimator = new Estimator({
    queue,
    settings: () => SAFE_DEFAULTS,
    now: () => 0,
    speeds: () => Promise.resolve({ core: null, models: {} }),
  });
  const job = { ...newJob(), video: { ...VIDEO, width: 1000, height: 1000, frames: 1 } } as unknown as Job;
  expect(await estimator.describe(job)).toBe('needs about 12 MB of disk and 15 MB of memory');
  const jpeg = { ...job, video: { ...job.video, codec: 'jpeg' } } as Job;
  expect(await estimator.describe(jpeg)).toBe('needs about 4.0 MB of disk and 15 MB of memory');
});
