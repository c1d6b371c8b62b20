/** A triangle over the bins of a spectrum. */
export interface MelFilter {
  readonly firstBin: number;
  readonly weights: Float64Array;
}

/** Linear below 1000 Hz, logarithmic above (Slaney's Auditory Toolbox, 1998, which librosa uses by default). */
const HZ_PER_MEL = 200 / 3;
const BREAK_HZ = 1000;
const LOG_STEP = Math.log(6.4) / 27;

function toMel(hz: number): number {
  return hz < BREAK_HZ ? hz / HZ_PER_MEL : BREAK_HZ / HZ_PER_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP;
}

function toHz(mel: number): number {
  const breakMel = BREAK_HZ / HZ_PER_MEL;
  return mel < breakMel ? mel * HZ_PER_MEL : BREAK_HZ * Math.exp((mel - breakMel) * LOG_STEP);
}

/** Overlapping triangles of equal area, evenly spaced on the mel scale. */
export function melFilters(
  count: number,
  { fromHz, toHz: highestHz, binHz, bins }: { fromHz: number; toHz: number; binHz: number; bins: number },
): MelFilter[] {
  const [low, high] = [toMel(fromHz), toMel(highestHz)];
  const corners = Array.from({ length: count + 2 }, (_, i) => toHz(low + ((high - low) * i) / (count + 1)));
  return Array.from({ length: count }, (_, i) => {
    const [start = 0, peak = 0, end = 0] = corners.slice(i, i + 3);
    const firstBin = Math.max(0, Math.ceil(start / binHz));
    const lastBin = Math.min(bins - 1, Math.floor(end / binHz));
    const weights = Float64Array.from({ length: Math.max(0, lastBin - firstBin + 1) }, (_each, at) => {
      const hz = (firstBin + at) * binHz;
      const height = Math.min((hz - start) / (peak - start), (end - hz) / (end - peak));
      return (Math.max(0, height) * 2) / (end - start);
    });
    return { firstBin, weights };
  });
}
