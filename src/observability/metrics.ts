import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, Summary } from 'prom-client';
import { FALLBACKS, followMeasurements, RECOVERIES, STAGES, type Measurement } from './measurements.ts';

/** Percentiles are those of the last five minutes, in steps of one minute. */
const WINDOW = { maxAgeSeconds: 300, ageBuckets: 5, pruneAgedBuckets: true };
/** Upper bounds in seconds per frame: 0.5 ms, on a GPU, to one minute, for a large model on a CPU. */
const SECONDS_PER_FRAME = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60];

/** Figures of one GPU; null for what its driver does not report. */
export interface GpuFigures {
  readonly index: string;
  readonly utilizationPercent: number | null;
  readonly usedBytes: number | null;
  readonly totalBytes: number | null;
  readonly decoderPercent: number | null;
  readonly encoderPercent: number | null;
  readonly celsius: number | null;
}

/** What is read when metrics are asked for, rather than measured along the way. */
export interface Snapshot {
  readonly jobs: Readonly<Record<string, number>>;
  readonly gpus: readonly GpuFigures[];
  /** Free bytes by folder; null for a folder that is missing. */
  readonly freeBytes: Readonly<Record<string, number | null>>;
  /** Codes of what keeps the daemon from working as intended. */
  readonly impairments: readonly string[];
  readonly isQueuePaused: boolean;
}

/** The metrics of a daemon, in the text format of Prometheus. What cannot be measured on this machine has no sample. */
export class Metrics {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #unfollow: () => void;
  readonly #stages: Histogram<'stage'>;
  readonly #frames: Counter<'stage'>;
  readonly #frameMs: Percentile;
  readonly #queueDepth: Percentile;
  readonly #fallbacks: Counter<'of'>;
  readonly #recoveries: Counter<'of'>;
  readonly #jobs: Gauge<'state'>;
  readonly #freeBytes: Gauge<'folder'>;
  readonly #impaired: Gauge<'code'>;
  readonly #queuePaused: Gauge;
  readonly #gpuGauges: readonly [gauge: Gauge<'gpu'>, read: (gpu: GpuFigures) => number | null][];

  constructor(version: string) {
    const registers = [this.#registry];
    this.contentType = this.#registry.contentType;
    collectDefaultMetrics({ register: this.#registry });
    const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
      new Gauge({ name, help, labelNames, registers });
    const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
      new Counter({ name, help, labelNames, registers });

    gauge('framekiln_build_info', 'Always 1; the version is a label', ['version']).set({ version }, 1);
    this.#stages = new Histogram({
      name: 'framekiln_stage_seconds_per_frame',
      help: 'Time of a stage for a batch, divided by the frames of the batch',
      ...{ labelNames: ['stage'], buckets: SECONDS_PER_FRAME, registers },
    });
    this.#frames = counter('framekiln_frames_total', 'Frames that passed a stage', ['stage']);
    for (const stage of STAGES) {
      this.#stages.zero({ stage });
      this.#frames.inc({ stage }, 0);
    }
    this.#fallbacks = counter('framekiln_fallbacks_total', 'Times that something slower took over', ['of']);
    for (const of of FALLBACKS) this.#fallbacks.inc({ of }, 0);
    this.#recoveries = counter('framekiln_recoveries_total', 'Times that work continued after a failure', [
      'of',
    ]);
    for (const of of RECOVERIES) this.#recoveries.inc({ of }, 0);
    this.#jobs = gauge('framekiln_jobs', 'Jobs by state', ['state']);
    this.#freeBytes = gauge('framekiln_free_bytes', 'Free disk space by folder', ['folder']);
    this.#impaired = gauge('framekiln_impaired', '1 for each reason why the daemon is degraded', ['code']);
    this.#queuePaused = gauge('framekiln_queue_paused', '1 if a user has paused the queue');
    this.#gpuGauges = [
      [
        gauge('gpu_utilization_percent', 'Share of time in which the GPU ran kernels', ['gpu']),
        (gpu) => gpu.utilizationPercent,
      ],
      [
        gauge('vram_used_gb', 'Used memory of the GPU, in units of 10^9 bytes', ['gpu']),
        (gpu) => gigabytes(gpu.usedBytes),
      ],
      [
        gauge('vram_total_gb', 'Memory of the GPU, in units of 10^9 bytes', ['gpu']),
        (gpu) => gigabytes(gpu.totalBytes),
      ],
      [
        gauge('nvdec_utilization_percent', 'Use of the video decoder of the GPU', ['gpu']),
        (gpu) => gpu.decoderPercent,
      ],
      [
        gauge('nvenc_utilization_percent', 'Use of the video encoder of the GPU', ['gpu']),
        (gpu) => gpu.encoderPercent,
      ],
      [gauge('gpu_temperature_celsius', 'Temperature of the GPU', ['gpu']), (gpu) => gpu.celsius],
    ];
    this.#frameMs = new Percentile(this.#registry, {
      ...{ name: 'processing_latency_p95_ms', quantile: 0.95 },
      help: '95th percentile of the time to transform a frame, over the last 5 minutes',
    });
    this.#queueDepth = new Percentile(this.#registry, {
      ...{ name: 'queue_depth_p99_frames', quantile: 0.99 },
      help: '99th percentile of the number of images waiting for a model, over the last 5 minutes',
    });
    this.#unfollow = followMeasurements((measurement) => this.#add(measurement));
  }

  /** All metrics as text. */
  render({ jobs, gpus, freeBytes, impairments, isQueuePaused }: Snapshot): Promise<string> {
    for (const [state, count] of Object.entries(jobs)) this.#jobs.set({ state }, count);
    for (const [each, read] of this.#gpuGauges) {
      each.reset();
      for (const gpu of gpus) {
        const value = read(gpu);
        if (value !== null) each.set({ gpu: gpu.index }, value);
      }
    }
    this.#freeBytes.reset();
    for (const [folder, bytes] of Object.entries(freeBytes))
      if (bytes !== null) this.#freeBytes.set({ folder }, bytes);
    this.#impaired.reset();
    for (const code of impairments) this.#impaired.set({ code }, 1);
    this.#queuePaused.set(isQueuePaused ? 1 : 0);
    return this.#registry.metrics();
  }

  /** The percentiles of the last five minutes; null for what was not measured in that time. */
  async percentiles(): Promise<{ readonly frameP95Ms: number | null; readonly queueP99: number | null }> {
    return { frameP95Ms: await this.#frameMs.read(), queueP99: await this.#queueDepth.read() };
  }

  /** Ends the counting. */
  close(): void {
    this.#unfollow();
    this.#registry.clear();
  }

  #add(measurement: Measurement): void {
    switch (measurement.kind) {
      case 'stage': {
        const { stage, ms, frames } = measurement;
        this.#stages.observe({ stage }, ms / 1000 / frames);
        this.#frames.inc({ stage }, frames);
        break;
      }
      case 'frame':
        this.#frameMs.add(measurement.ms);
        break;
      case 'queue-depth':
        this.#queueDepth.add(measurement.frames);
        break;
      case 'fallback':
        this.#fallbacks.inc({ of: measurement.of });
        break;
      case 'recovery':
        this.#recoveries.inc({ of: measurement.of });
        break;
    }
  }
}

function gigabytes(bytes: number | null): number | null {
  return bytes === null ? null : bytes / 1e9;
}

interface PercentileOptions {
  readonly name: string;
  readonly help: string;
  readonly quantile: number;
}

/** A gauge with one percentile of a window of time; without a sample where nothing was measured in that time. */
class Percentile {
  readonly #window: Summary;
  readonly #quantile: number;

  constructor(register: Registry, { name, help, quantile }: PercentileOptions) {
    // Not in the registry: Prometheus would show the percentile under this name with a label.
    const window = new Summary({ name, help, percentiles: [quantile], ...WINDOW, registers: [] });
    this.#window = window;
    this.#quantile = quantile;
    const read = (): Promise<number | null> => this.read();
    new Gauge({
      ...{ name, help, registers: [register] },
      async collect() {
        const value = await read();
        if (value === null) this.remove();
        else this.set(value);
      },
    });
  }

  async read(): Promise<number | null> {
    const { values } = await this.#window.get();
    return values.find(({ labels }) => labels['quantile'] === this.#quantile)?.value ?? null;
  }

  add(value: number): void {
    this.#window.observe(value);
  }
}
