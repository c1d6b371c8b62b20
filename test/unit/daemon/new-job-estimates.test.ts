import { expect, test } from 'vitest';
import { SAFE_DEFAULTS, type Settings } from '../../../src/config/settings.ts';
import { Estimator } from '../../../src/daemon/estimator.ts';
import { describeLongJob, NewJobEstimates } from '../../../src/daemon/new-job-estimates.ts';
import type { Job } from '../../../src/domain/job.ts';
import type { GpuUse } from '../../../src/hardware/gpu-use.ts';
import { LONG_JOB, type JobEvent } from '../../../src/queue/event-store.ts';
import { speedRequest } from '../../../src/trial/speed-request.ts';
import { readKnownModels } from '../../../src/inference/models/known-models.ts';
import type { Logger } from '../../../src/observability/log-entry.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';

const GENERAL = 'realesr-general-x4v3';
const X4PLUS = 'RealESRGAN_x4plus';
const recipe = { pipeline: 'upscale', model: X4PLUS, scale: 4, device: 'cpu', tile: 'auto' } as const;
/** An hour of DVD video. */
const video = { width: 720, height: 576, bitsPerComponent: 8, frames: 90_000, bytes: 1e9 };
const NO_DRIVER: GpuUse = {
  code: 'no-driver',
  why: 'the NVIDIA GPU has no NVIDIA driver',
  advice: 'to change that: sudo apt-get install nvidia-driver',
};

/** Estimates on a machine on which the large model takes 8 s a frame, or 7 s with less precision, and the other one 0.5 s. */
async function estimatesWith(settings: Settings, gpuUse: GpuUse | null = NO_DRIVER) {
  const manifest = await readKnownModels();
  const speed = async (model: string, precision: Settings['engine']['precision'], frameMs: number) => {
    const engine = { ...settings.engine, precision };
    const request = await speedRequest({ ...recipe, model }, { engine }, manifest);
    const msPerPixel = frameMs / (720 * 576);
    return [
      request?.key ?? '',
      { engine: 'e', device: 'cpu', scale: 4, msPerPixel, loadMs: 0, memoryBytes: 1e12 } as const,
    ] as const;
  };
  const models = Object.fromEntries([
    await speed(X4PLUS, 'auto', 8000),
    await speed(X4PLUS, 'fast', 7000),
    await speed(GENERAL, 'auto', 500),
  ]);
  const core = { msPerProduct: 1e-6, msPerEncodedPixel: 5e-5, cores: 2 };
  const queue = { history: { pastJobs: () => [] } };
  const events: JobEvent[] = [];
  const warnings: string[] = [];
  const log: Logger = { ...silentLogger, warn: (text) => void warnings.push(text) };
  const estimates = new NewJobEstimates({
    estimator: new Estimator({
      ...{ queue, settings: () => settings, now: () => 0 },
      speeds: () => Promise.resolve({ core, models }),
    }),
    speedMeter: {
      installed: () => Promise.resolve([GENERAL, X4PLUS]),
      ready: () => Promise.resolve(),
    },
    queue: { events: { addEvent: (_, event) => void events.push(event), listEvents: () => events } },
    ...{ settings: () => settings, gpuUse, log },
  });
  return { estimates, events, warnings };
}

const job = { id: 3, sourcePath: '/home/me/film.mkv', recipe, video } as unknown as Job;

test('a job of days is warned about once, with the choices that would be faster on this machine', async () => {
  const { estimates, events, warnings } = await estimatesWith(SAFE_DEFAULTS);
  estimates.warnIfLong(job);
  await estimates.settled();
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(
    /^film\.mkv will take about 8 d \d\d h; faster: model lanczos \(about .* h .* min\), model realesr-general-x4v3 \(about \d+ h \d\d min\), engine\.precision fast \(about 7 d \d\d h\); models run on the CPU: the NVIDIA GPU has no NVIDIA driver; to change that: sudo apt-get install nvidia-driver; to choose another recipe: framekiln cancel 3, then framekiln add with --model or --scale$/,
  );
  expect(events).toEqual([expect.objectContaining({ kind: LONG_JOB })]);
});

test('a smaller scale is a choice only where it saves time', async () => {
  const { estimates, events } = await estimatesWith(SAFE_DEFAULTS);
  // The large model takes just as long for each scale, but encoding 4x frames costs much more than upscaling by lanczos.
  estimates.warnIfLong({
    ...job,
    recipe: { ...recipe, model: 'lanczos' },
    video: { ...video, frames: 1e6 },
  });
  await estimates.settled();
  expect(events[0]?.message).toMatch(/faster: scale 2 \(about .*\), scale 3 \(about/);
});

test.for([
  { title: 'a shorter job', settings: { warnAfterHours: 250 } },
  { title: 'a warning that is switched off', settings: { warnAfterHours: 0 } },
])('$title gives no warning', async ({ settings }) => {
  const { estimates, events, warnings } = await estimatesWith({
    ...SAFE_DEFAULTS,
    estimate: { ...SAFE_DEFAULTS.estimate, ...settings },
  });
  estimates.warnIfLong(job);
  await estimates.settled();
  expect([events, warnings]).toEqual([[], []]);
});

test('a GPU that is used is no advice, and without choices the warning says so', () => {
  expect(describeLongJob(50_000, [], { code: 'used', gpu: 'RTX' })).toBe(
    'will take about 13 h 53 min; nothing on this machine is faster',
  );
});
