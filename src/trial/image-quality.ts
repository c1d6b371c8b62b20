// How much two images of floats in 0..1 differ. All images are planes [3, height, width].

const clamp = (value: number | undefined): number => Math.min(1, Math.max(0, value ?? 0));

/** Peak signal-to-noise ratio in dB; Infinity for equal images. */
export function psnr(found: Float32Array, wanted: Float32Array): number {
  let squares = 0;
  for (let i = 0; i < wanted.length; i++) squares += (clamp(found[i]) - clamp(wanted[i])) ** 2;
  return squares === 0 ? Infinity : -10 * Math.log10(squares / wanted.length);
}

/** Structural similarity of the luma, the mean of 8x8 windows at every fourth pixel. */
export function ssim(found: Float32Array, wanted: Float32Array, width: number, height: number): number {
  const [a, b] = [luma(found, width * height), luma(wanted, width * height)];
  const edge = Math.min(8, width, height);
  const [c1, c2] = [0.01 ** 2, 0.03 ** 2];
  let [total, windows] = [0, 0];
  for (let top = 0; top + edge <= height; top += 4) {
    for (let left = 0; left + edge <= width; left += 4) {
      let [sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0];
      for (let y = top; y < top + edge; y++) {
        for (let i = y * width + left; i < y * width + left + edge; i++) {
          const [valueA, valueB] = [a[i] ?? 0, b[i] ?? 0];
          sumA += valueA;
          sumB += valueB;
          sumAA += valueA * valueA;
          sumBB += valueB * valueB;
          sumAB += valueA * valueB;
        }
      }
      const n = edge * edge;
      const [meanA, meanB] = [sumA / n, sumB / n];
      const [varianceA, varianceB] = [sumAA / n - meanA ** 2, sumBB / n - meanB ** 2];
      const covariance = sumAB / n - meanA * meanB;
      total +=
        ((2 * meanA * meanB + c1) * (2 * covariance + c2)) /
        ((meanA ** 2 + meanB ** 2 + c1) * (varianceA + varianceB + c2));
      windows++;
    }
  }
  return total / windows;
}

function luma(planes: Float32Array, pixels: number): Float64Array {
  return Float64Array.from(
    { length: pixels },
    (_, i) =>
      0.2126 * clamp(planes[i]) + 0.7152 * clamp(planes[i + pixels]) + 0.0722 * clamp(planes[i + 2 * pixels]),
  );
}
