/** Estimates the remaining time of a job from the frames that the current run has finished. */
export interface EtaEstimator {
  /** Records that `framesDone` frames of the job were finished at `atMs`; neither value ever decreases. */
  record(framesDone: number, atMs: number): void;
  /** Frames per second over the last minute; null before the first measured frame. */
  framesPerSecond(): number | null;
  /** Whole milliseconds until `framesTotal` frames are finished; null before the first measured frame. */
  etaMs(framesTotal: number): number | null;
}

export interface EtaOptions {
  /** The time at which this run started to process frames. */
  readonly startedAtMs: number;
  /** Frames that earlier runs finished, which do not count towards the rate of this run. */
  readonly framesDone: number;
  /** Length of the window in which the rate is measured; one minute by default. */
  readonly windowMs?: number;
}

interface Sample {
  readonly framesDone: number;
  readonly atMs: number;
}

/**
 * Creates an estimator with a rate over a sliding window. Frames that equal the previous one cost nothing and come in
 * bursts; a window averages them correctly, unlike a mean of single rates. The window is longer than `windowMs` if it would
 * contain fewer than two samples, so that there is a rate even if one frame takes minutes.
 */
export function createEtaEstimator(options: EtaOptions): EtaEstimator {
  const windowMs = options.windowMs ?? 60_000;
  const samples: Sample[] = [{ framesDone: options.framesDone, atMs: options.startedAtMs }];

  const framesPerSecond = (): number | null => {
    const first = samples[0];
    const last = samples.at(-1);
    if (first === undefined || last === undefined) return null;
    const frames = last.framesDone - first.framesDone;
    const seconds = (last.atMs - first.atMs) / 1000;
    return frames > 0 && seconds > 0 ? frames / seconds : null;
  };

  return {
    record(framesDone, atMs) {
      samples.push({ framesDone, atMs });
      // The oldest sample is dropped once the next one covers the window.
      while (samples.length > 2 && atMs - (samples[1]?.atMs ?? atMs) >= windowMs) samples.shift();
    },
    framesPerSecond,
    etaMs(framesTotal) {
      const rate = framesPerSecond();
      const framesDone = samples.at(-1)?.framesDone ?? 0;
      return rate === null ? null : Math.round((Math.max(0, framesTotal - framesDone) / rate) * 1000);
    },
  };
}
