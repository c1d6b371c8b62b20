/** Estimates the time left of one run of one job from the frames that this run has finished. */
export interface EtaEstimator {
  /** `framesDone` frames of the job were finished at `atMs`; counts and times never go back. */
  record(framesDone: number, atMs: number): void;
  /** Frames a second over the last minute or so; null before the first measured frame. */
  framesPerSecond(): number | null;
  /** Whole milliseconds until `framesTotal` frames are finished; null before the first measured frame. */
  etaMs(framesTotal: number): number | null;
}

export interface EtaOptions {
  /** When this run began to work on frames. */
  readonly startedAtMs: number;
  /** Frames that earlier runs finished; they say nothing about the speed of this one. */
  readonly framesDone: number;
  /** Length of the window that the rate is measured over. Default: one minute. */
  readonly windowMs?: number;
}

interface Look {
  readonly framesDone: number;
  readonly atMs: number;
}

/**
 * The rate is frames over time in a sliding window: free frames (equal to the one before) come in bursts, and a
 * window averages them as they come, where a mean of single rates would not. The window is longer than `windowMs`
 * where less than two looks fit in it, so that a frame that takes minutes still gives a rate.
 */
export function createEtaEstimator(options: EtaOptions): EtaEstimator {
  const windowMs = options.windowMs ?? 60_000;
  const looks: Look[] = [{ framesDone: options.framesDone, atMs: options.startedAtMs }];

  const framesPerSecond = (): number | null => {
    const first = looks[0];
    const last = looks.at(-1);
    if (first === undefined || last === undefined) return null;
    const frames = last.framesDone - first.framesDone;
    const seconds = (last.atMs - first.atMs) / 1000;
    return frames > 0 && seconds > 0 ? frames / seconds : null;
  };

  return {
    record(framesDone, atMs) {
      looks.push({ framesDone, atMs });
      // The oldest look may go when the next one still spans the window.
      while (looks.length > 2 && atMs - (looks[1]?.atMs ?? atMs) >= windowMs) looks.shift();
    },
    framesPerSecond,
    etaMs(framesTotal) {
      const rate = framesPerSecond();
      const framesDone = looks.at(-1)?.framesDone ?? 0;
      return rate === null ? null : Math.round((Math.max(0, framesTotal - framesDone) / rate) * 1000);
    },
  };
}
