import type { MediaInfo } from '../../domain/media-info.ts';
import type { FrameIndex } from '../index/frame-index.ts';

/** When each output frame is shown, in ticks of `1/timescale` s, counted from the start of the source. */
export interface OutputTiming {
  readonly timescale: number;
  /** Strictly increasing, one a frame. */
  readonly pts: Float64Array;
  /** Of the last frame; at least 1. */
  readonly lastDuration: number;
}

/** Below this a decoding timestamp has no room beside its neighbours. */
const MIN_TIMESCALE = 1000;

/**
 * The source's timestamps on a time base of whole ticks a second. Exact: a time base n/d becomes ticks of 1/d with
 * every timestamp times n. Where the source shows two frames at once or goes backwards, the later frame is moved
 * one tick behind the one before it, because no container can say otherwise.
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
  return { timescale, pts, lastDuration: Math.max(1, index.lastDuration * num * factor || typical) };
}

/** Frames a second on average, in decimals: what an encoder's rate control is told. */
export function averageRate(timing: OutputTiming): string {
  const first = timing.pts[0] ?? 0;
  const ticks = (timing.pts.at(-1) ?? 0) + timing.lastDuration - first;
  return ((timing.pts.length * timing.timescale) / ticks).toFixed(6);
}
