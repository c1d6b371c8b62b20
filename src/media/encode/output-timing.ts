import type { MediaInfo } from '../../domain/media-info.ts';
import type { FrameIndex } from '../index/frame-index.ts';

/** Presentation timestamps of the output in ticks of `1/timescale` seconds since the start of the source. */
export interface OutputTiming {
  readonly timescale: number;
  /** One timestamp per frame, strictly increasing. */
  readonly pts: Float64Array;
  /** Duration of the last frame in ticks; at least 1. */
  readonly lastDuration: number;
}

/** Coarser timescales leave no room for distinct decoding timestamps. */
const MIN_TIMESCALE = 1000;

/**
 * Converts the timestamps of a source to a timescale of whole ticks per second, without rounding: a time base n/d becomes
 * 1/d, with every timestamp multiplied by n. A frame whose timestamp is not after that of the frame before is moved to
 * one tick after it, because containers require increasing timestamps.
 */
export function outputTiming(index: FrameIndex, source: MediaInfo): OutputTiming {
  const { num, den } = index.timeBase;
  const factor = Math.max(1, Math.ceil(MIN_TIMESCALE / den));
  const timescale = den * factor;
  const startTicks = Math.round(source.startSeconds * timescale);
  const pts = new Float64Array(index.pts.length);
  let previous = -Infinity;
  for (let frame = 0; frame < pts.length; frame++) {
    const ticks = (index.pts[frame] ?? 0) * num * factor - startTicks;
    previous = Math.max(ticks, previous + 1);
    pts[frame] = previous;
  }
  const typical =
    pts.length > 1 ? Math.round((previous - (pts[0] ?? 0)) / (pts.length - 1)) : Math.round(timescale / 25);
  return {
    timescale,
    pts,
    lastDuration: Math.max(1, Math.round(index.lastDuration * num * factor) || typical),
  };
}

/** Average frames per second as a decimal number, for the rate control of the encoder; a held last frame does not count. */
export function averageRate({ pts, timescale, lastDuration }: OutputTiming): string {
  const steps = pts.length - 1;
  const ticks = steps === 0 ? Math.min(lastDuration, timescale) : ((pts.at(-1) ?? 0) - (pts[0] ?? 0)) / steps;
  return (timescale / ticks).toFixed(6);
}

/** Number of the frame with this timestamp, in ticks since the start of the source; null if there is none. */
export function frameAt({ pts }: OutputTiming, ticks: number): number | null {
  let [low, high] = [0, pts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pts[middle] ?? Infinity) < ticks) low = middle + 1;
    else high = middle;
  }
  return pts[low] === ticks ? low : null;
}

/** Time in seconds at which the last frame of the output disappears, since the start of the source. */
export function endSeconds({ pts, timescale, lastDuration }: OutputTiming): number {
  return ((pts.at(-1) ?? 0) + lastDuration) / timescale;
}
