import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { measure } from '../../../src/observability/measurements.ts';
import { Metrics, type GpuFigures, type Snapshot } from '../../../src/observability/metrics.ts';

const IDLE: Snapshot = { jobs: {}, gpus: [], freeBytes: {}, impairments: [], isQueuePaused: false };

beforeEach(() => vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => vi.useRealTimers());

function counting(): Metrics {
  const metrics = new Metrics('1.2.3');
  onTestFinished(() => metrics.close());
  return metrics;
}

/** The samples of a metric, as `labels value`. */
function samples(text: string, name: string): string[] {
  return text.split('\n').flatMap((line) => (new RegExp(`^${name}[{ ](.*)$`).exec(line) ?? []).slice(1));
}

it('what was not measured has no sample, not 0', async () => {
  const text = await counting().render(IDLE);
  for (const name of [
    'gpu_utilization_percent',
    'vram_used_gb',
    'nvdec_utilization_percent',
    'nvenc_utilization_percent',
    'processing_latency_p95_ms',
    'queue_depth_p99_frames',
  ]) {
    expect(text).toContain(`# TYPE ${name} gauge`);
    expect(samples(text, name), name).toEqual([]);
  }
});

it('a driver that does not report its decoder leaves out that metric alone, and a GPU that is gone leaves out all', async () => {
  const gpu: GpuFigures = {
    ...{ index: '0', utilizationPercent: 0, usedBytes: 2e9, totalBytes: 24e9, celsius: 40 },
    ...{ decoderPercent: null, encoderPercent: 7 },
  };
  const metrics = counting();
  const text = await metrics.render({ ...IDLE, gpus: [gpu] });
  expect(samples(text, 'gpu_utilization_percent')).toEqual(['gpu="0"} 0']);
  expect(samples(text, 'vram_used_gb')).toEqual(['gpu="0"} 2']);
  expect(samples(text, 'nvdec_utilization_percent')).toEqual([]);
  expect(samples(text, 'nvenc_utilization_percent')).toEqual(['gpu="0"} 7']);
  expect(samples(await metrics.render(IDLE), 'nvenc_utilization_percent')).toEqual([]);
});

it('percentiles are those of the last five minutes, and are absent afterwards', async () => {
  const metrics = counting();
  for (let ms = 1; ms <= 100; ms++) measure({ kind: 'frame', ms });
  measure({ kind: 'queue-depth', frames: 3 });
  const text = await metrics.render(IDLE);
  const [latency] = samples(text, 'processing_latency_p95_ms').map(Number);
  expect(latency).toBeGreaterThanOrEqual(94);
  expect(latency).toBeLessThanOrEqual(96);
  expect(samples(text, 'queue_depth_p99_frames')).toEqual(['3']);
  vi.setSystemTime(Date.now() + 7 * 60_000);
  const later = await metrics.render(IDLE);
  expect(samples(later, 'processing_latency_p95_ms')).toEqual([]);
  measure({ kind: 'frame', ms: 7 });
  expect(samples(await metrics.render(IDLE), 'processing_latency_p95_ms')).toEqual(['7']);
});

it('stages, fallbacks, recoveries and the snapshot are counted with their labels', async () => {
  const metrics = counting();
  measure({ kind: 'stage', stage: 'decode', ms: 300, frames: 30 });
  measure({ kind: 'stage', stage: 'decode', ms: 20, frames: 1 });
  measure({ kind: 'fallback', of: 'encoder' });
  measure({ kind: 'recovery', of: 'worker' });
  const text = await metrics.render({
    ...{ jobs: { done: 4, failed: 0 }, gpus: [], freeBytes: { output: 5, state: null } },
    ...{ impairments: ['QUEUE_UNUSABLE'], isQueuePaused: true },
  });
  expect(samples(text, 'framekiln_build_info')).toEqual(['version="1.2.3"} 1']);
  expect(samples(text, 'framekiln_frames_total')).toContain('stage="decode"} 31');
  expect(samples(text, 'framekiln_stage_seconds_per_frame_count')).toContain('stage="decode"} 2');
  expect(samples(text, 'framekiln_stage_seconds_per_frame_bucket')).toContain('le="0.01",stage="decode"} 1');
  expect(samples(text, 'framekiln_fallbacks_total')).toEqual(
    expect.arrayContaining(['of="encoder"} 1', 'of="decoder"} 0']),
  );
  expect(samples(text, 'framekiln_recoveries_total')).toContain('of="worker"} 1');
  expect(samples(text, 'framekiln_jobs')).toEqual(['state="done"} 4', 'state="failed"} 0']);
  expect(samples(text, 'framekiln_free_bytes')).toEqual(['folder="output"} 5']);
  expect(samples(text, 'framekiln_impaired')).toEqual(['code="QUEUE_UNUSABLE"} 1']);
  expect(samples(text, 'framekiln_queue_paused')).toEqual(['1']);
  expect(samples(await metrics.render(IDLE), 'framekiln_impaired')).toEqual([]);
});

it('a closed counter counts no more', async () => {
  const metrics = new Metrics('1');
  metrics.close();
  measure({ kind: 'recovery', of: 'worker' });
  expect(await metrics.render(IDLE)).not.toContain('framekiln_recoveries_total');
});
