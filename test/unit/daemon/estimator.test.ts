import { expect, test, vi } from 'vitest';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';
import type { Job } from '../../../src/domain/job.ts';
import { Estimator } from '../../../src/daemon/estimator.ts';
import { newJob, VIDEO } from '../queue/queue-fixture.ts';

test('ten thousand files that are queued at once read the history once', async () => {
  const clock = { ms: 0 };
  const pastJobs = vi.fn(() => [{ video: VIDEO, frames: 100, workMs: 8000, segmentBytes: 50_000 }]);
  const queue = { history: { pastJobs } };
  const estimator = new Estimator({ queue, settings: () => SAFE_DEFAULTS, now: () => clock.ms });
  const job = { recipe: newJob().recipe, video: VIDEO };
  const all = await Promise.all(Array.from({ length: 10_000 }, () => estimator.estimate(job)));
  expect(pastJobs).toHaveBeenCalledTimes(1);
  // Sixty frames in each of three batches, 64x48 and 128x96 of three bytes: the free memory of any machine is enough.
  const memoryBytes = 3 * 60 * 3 * (64 * 48 + 128 * 96);
  expect(new Set(all.map((estimate) => JSON.stringify(estimate)))).toEqual(
    new Set([JSON.stringify({ seconds: 8, diskBytes: 110_000, memoryBytes, jobCount: 1 })]),
  );
  clock.ms = 10_000;
  await estimator.estimate(job);
  expect(pastJobs).toHaveBeenCalledTimes(2);
  expect(await estimator.estimate({ ...job, video: null })).toBeNull();
});

test('a still image needs one frame of memory and no segments', async () => {
  const queue = { history: { pastJobs: () => [] } };
  const estimator = new Estimator({ queue, settings: () => SAFE_DEFAULTS, now: () => 0 });
  const job = { ...newJob(), video: { ...VIDEO, width: 1000, height: 1000, frames: 1 } } as unknown as Job;
  expect(await estimator.describe(job)).toBe('needs about 12 MB of disk and 15 MB of memory');
});
