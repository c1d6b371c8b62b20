import type { GpuFigures } from '../../observability/metrics.ts';

/** What the rules are evaluated on; null for what was not measured. */
export interface AlertFacts {
  /** Empty on a machine without nvidia-smi; null if nvidia-smi failed or did not respond. */
  readonly gpus: readonly GpuFigures[] | null;
  readonly frameP95Ms: number | null;
  readonly queueP99: number | null;
}

/** A rule of packaging/monitoring/framekiln-alerts.yml, which has the same limits. */
export interface AlertRule {
  readonly code: 'GPU_SATURATED' | 'VRAM_NEARLY_FULL' | 'SLOW_FRAMES' | 'LONG_QUEUE';
  /** A GPU that upscales may be busy all the time, so that is no warning. */
  readonly level: 'info' | 'warning';
  readonly limit: number;
  /** For how long the limit must be exceeded without a break. */
  readonly forMinutes: number;
  readonly remedy: string;
  /**
   * What exceeds the limit now, one sentence without a full stop for each GPU or for the program; null if that cannot be told
   * because the GPUs were not measured.
   */
  readonly find: (facts: AlertFacts, limit: number) => readonly string[] | null;
}

export const ALERT_RULES: readonly AlertRule[] = [
  {
    ...{ code: 'GPU_SATURATED', level: 'info', limit: 95, forMinutes: 15 },
    remedy: 'That is normal while Framekiln upscales; lower streams.max if other programs need the GPU.',
    find: ({ gpus }, limit) =>
      gpus
        ?.filter(({ utilizationPercent }) => (utilizationPercent ?? 0) > limit)
        .map(({ index }) => `GPU ${index} is more than ${limit} % busy`) ?? null,
  },
  {
    ...{ code: 'VRAM_NEARLY_FULL', level: 'warning', limit: 87.5, forMinutes: 5 },
    remedy: 'Close other programs that use the GPU, or lower streams.max.',
    find: ({ gpus }, limit) =>
      gpus
        ?.filter(({ usedBytes, totalBytes }) => ((usedBytes ?? 0) / (totalBytes ?? Infinity)) * 100 > limit)
        .map(({ index }) => `GPU ${index} uses more than ${limit} % of its memory`) ?? null,
  },
  {
    ...{ code: 'SLOW_FRAMES', level: 'warning', limit: 100, forMinutes: 10 },
    remedy:
      'Large models can be that slow; otherwise, check the log for a fallback to a slower engine or smaller tiles.',
    // Only with a GPU: a frame takes seconds on a CPU.
    find: ({ gpus, frameP95Ms }, limit) => {
      if ((frameP95Ms ?? 0) <= limit) return [];
      if (gpus === null) return null;
      return gpus.some(({ utilizationPercent }) => utilizationPercent !== null)
        ? [`frames take more than ${limit} ms to be transformed`]
        : [];
    },
  },
  {
    ...{ code: 'LONG_QUEUE', level: 'warning', limit: 20, forMinutes: 10 },
    remedy: 'Lower streams.max.',
    find: ({ queueP99 }, limit) =>
      (queueP99 ?? 0) > limit ? [`more than ${limit} images wait for a model`] : [],
  },
];
