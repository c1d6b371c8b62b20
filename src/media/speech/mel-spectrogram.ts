import { setImmediate } from 'node:timers/promises';
import { Fourier } from './fourier.ts';
import { melFilters } from './mel-filters.ts';

/** Samples per second that the speech features are computed from. */
export const SPEECH_RATE = 16_000;
/** Number of values of one column of the spectrogram. */
export const MEL_BANDS = 80;
/** Columns per second: one for every 200 samples. */
export const MELS_PER_SECOND = 80;

const HOP = SPEECH_RATE / MELS_PER_SECOND;
const WINDOW = 800;
const BINS = WINDOW / 2 + 1;
const PRE_EMPHASIS = 0.97;
const LEAST_DECIBELS = -100;
const REFERENCE_DECIBELS = 20;
const LARGEST = 4;
const COLUMNS_AT_ONCE = 100;

/** Columns of a spectrogram, from `from` up to `to`. */
export interface ColumnRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The mel spectrogram that Wav2Lip was trained with: magnitudes of 800 samples in a Hann window, 80 bands from 55 to
 * 7600 Hz, in decibels, scaled to -4..4. The signal is mirrored at its ends.
 *
 * Lets other work of the thread go on: an hour of speech takes minutes.
 *
 * @param samples mono, at SPEECH_RATE, in -1..1
 * @param range absent: all columns
 * @returns columns of MEL_BANDS values, one after the other
 */
export async function melSpectrogram(
  samples: Float32Array,
  signal: AbortSignal,
  range: ColumnRange = { from: 0, to: 1 + Math.floor(samples.length / HOP) },
): Promise<Float32Array> {
  const emphasised = (at: number): number => (samples[at] ?? 0) - PRE_EMPHASIS * (samples[at - 1] ?? 0);
  const window = Float64Array.from(
    { length: WINDOW },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW),
  );
  const filters = melFilters(MEL_BANDS, { fromHz: 55, toHz: 7600, binHz: SPEECH_RATE / WINDOW, bins: BINS });
  const fourier = new Fourier(WINDOW);
  const windowed = new Float64Array(WINDOW);
  const magnitudes = new Float64Array(BINS);
  const mel = new Float32Array(Math.max(0, range.to - range.from) * MEL_BANDS);
  for (let column = range.from; column < range.to; column++) {
    if (column % COLUMNS_AT_ONCE === 0) {
      await setImmediate();
      signal.throwIfAborted();
    }
    for (let i = 0; i < WINDOW; i++)
      windowed[i] = emphasised(mirrored(column * HOP + i - WINDOW / 2, samples.length)) * (window[i] ?? 0);
    const { re, im } = fourier.transform(windowed);
    for (let bin = 0; bin < BINS; bin++) magnitudes[bin] = Math.hypot(re[bin] ?? 0, im[bin] ?? 0);
    for (const [band, { firstBin, weights }] of filters.entries()) {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += (weights[i] ?? 0) * (magnitudes[firstBin + i] ?? 0);
      mel[(column - range.from) * MEL_BANDS + band] = normalised(sum);
    }
  }
  return mel;
}

/** Number of columns that stay as they are, whatever follows these samples. */
export function finalColumns(sampleCount: number): number {
  const reach = WINDOW / 2;
  // The first column also sees the sample `reach`, where the start is mirrored.
  return sampleCount <= reach ? 0 : 1 + Math.floor((sampleCount - reach) / HOP);
}

/** Number of samples after which this many columns stay as they are. */
export function samplesForColumns(columns: number): number {
  return columns === 0 ? 0 : Math.max(WINDOW / 2 + 1, (columns - 1) * HOP + WINDOW / 2);
}

function normalised(magnitude: number): number {
  const decibels = 20 * Math.log10(Math.max(10 ** (LEAST_DECIBELS / 20), magnitude)) - REFERENCE_DECIBELS;
  const value = (2 * LARGEST * (decibels - LEAST_DECIBELS)) / -LEAST_DECIBELS - LARGEST;
  return Math.max(-LARGEST, Math.min(LARGEST, value));
}

/** The index of a sample, where the signal goes on backwards before its start and after its end. */
function mirrored(at: number, length: number): number {
  if (length <= 1) return 0;
  const period = 2 * (length - 1);
  const inPeriod = ((at % period) + period) % period;
  return inPeriod < length ? inPeriod : period - inPeriod;
}
