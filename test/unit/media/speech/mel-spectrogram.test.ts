import { expect, test } from 'vitest';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';
import { Fourier } from '../../../../src/media/speech/fourier.ts';
import { MEL_BANDS, melSpectrogram } from '../../../../src/media/speech/mel-spectrogram.ts';

/* The reference is written apart, from the definitions: a sum for each bin, and filters by interpolation on the mel scale. */

/** Frequency of a mel value by Slaney: 200/3 Hz each up to 1000 Hz, then 27 steps for each factor of 6.4. */
function hzOfMel(mel: number): number {
  return mel <= 15 ? (mel * 200) / 3 : 1000 * 6.4 ** ((mel - 15) / 27);
}

function melOfHz(hz: number): number {
  let [low, high] = [0, 100];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (hzOfMel(middle) < hz) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function referenceMel(samples: Float32Array): number[] {
  const y = [...samples].map((value, i) => value - 0.97 * (i === 0 ? 0 : (samples[i - 1] ?? 0)));
  const padded = [...y.slice(1, 401).reverse(), ...y, ...y.slice(-401, -1).reverse()];
  const ends = Array.from({ length: 82 }, (_, i) => {
    const [low, high] = [melOfHz(55), melOfHz(7600)];
    return hzOfMel(low + ((high - low) * i) / 81);
  });
  const result: number[] = [];
  for (let start = 0; start + 800 <= padded.length; start += 200) {
    const magnitudes = Array.from({ length: 401 }, (_, bin) => {
      let [re, im] = [0, 0];
      for (let n = 0; n < 800; n++) {
        const value = (padded[start + n] ?? 0) * Math.sin((Math.PI * n) / 800) ** 2;
        re += value * Math.cos((2 * Math.PI * bin * n) / 800);
        im -= value * Math.sin((2 * Math.PI * bin * n) / 800);
      }
      return Math.sqrt(re * re + im * im);
    });
    for (let band = 0; band < 80; band++) {
      const [left = 0, peak = 0, right = 0] = ends.slice(band, band + 3);
      let sum = 0;
      magnitudes.forEach((magnitude, bin) => {
        const hz = bin * 20;
        const height =
          hz <= left || hz >= right
            ? 0
            : hz <= peak
              ? (hz - left) / (peak - left)
              : (right - hz) / (right - peak);
        sum += magnitude * height * (2 / (right - left));
      });
      const decibels = 20 * Math.log10(Math.max(1e-5, sum)) - 20;
      result.push(Math.min(4, Math.max(-4, (8 * (decibels + 100)) / 100 - 4)));
    }
  }
  return result;
}

test('the mel spectrogram equals that of a direct computation to 1e-4', async () => {
  const random = seededRandom(3);
  const samples = Float32Array.from({ length: 4100 }, (_, i) => {
    const loud = i < 1500 ? 0.4 : i < 2500 ? 0 : 0.05;
    return loud * (Math.sin(i * 0.09) + 0.5 * Math.sin(i * 0.71) + 0.3 * (random() - 0.5));
  });
  const found = await melSpectrogram(samples, new AbortController().signal);
  const expected = referenceMel(samples);
  expect(found).toHaveLength(expected.length);
  expect(found.length).toBe(21 * MEL_BANDS);
  const worst = Math.max(...expected.map((value, i) => Math.abs(value - (found[i] ?? NaN))));
  expect(worst).toBeLessThan(1e-4);
  expect(Math.min(...found)).toBe(-4);
  expect(Math.max(...found)).toBeGreaterThan(0);
});

test('silence is the lowest value everywhere', async () => {
  const mel = await melSpectrogram(new Float32Array(1600), new AbortController().signal);
  expect(new Set(mel)).toEqual(new Set([-4]));
});

test('a long speech does not hold up the thread, and can be given up', async () => {
  const stop = new AbortController();
  setImmediate(() => stop.abort(new Error('stopped')));
  await expect(melSpectrogram(new Float32Array(16_000 * 60), stop.signal)).rejects.toThrow('stopped');
});

test.each([1, 2, 5, 12, 49, 800])('the transform of %d values equals the direct sum', (length) => {
  const random = seededRandom(length);
  const values = Float64Array.from({ length }, () => random() - 0.5);
  const { re, im } = new Fourier(length).transform(values);
  for (let bin = 0; bin < length; bin++) {
    const sum = (of: (angle: number) => number): number =>
      values.reduce((total, value, n) => total + value * of((2 * Math.PI * bin * n) / length), 0);
    expect(re[bin]).toBeCloseTo(sum(Math.cos), 9);
    expect(im[bin]).toBeCloseTo(-sum(Math.sin), 9);
  }
});
