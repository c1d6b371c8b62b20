import { expect, test } from 'vitest';
import { fastestExcellent, gradeOf, qualityOf } from '../../../src/trial/grade-precision.ts';

const image = (psnr: number, ssim = 1) => ({ psnr, ssim });

test('the worst image decides the grade', () => {
  expect(gradeOf([image(70), image(50, 0.999)])).toEqual({
    ...{ grade: 'EXCELLENT', worst: { psnr: 50, ssim: 0.999 } },
    mean: { psnr: 60, ssim: 0.9995 },
  });
  for (const [bad, grade] of [
    [image(49.9), 'ACCEPTABLE'],
    [image(60, 0.9989), 'ACCEPTABLE'],
    [image(39.9), 'NOT_RECOMMENDED'],
    [image(60, 0.989), 'NOT_RECOMMENDED'],
  ] as const)
    expect(gradeOf([image(90), bad, image(Infinity)]).grade).toBe(grade);
});

test('auto is the fastest excellent precision, and exact if none is excellent', () => {
  const row = (
    precision: 'exact' | 'balanced' | 'fast',
    grade: 'EXCELLENT' | 'ACCEPTABLE',
    speed: number,
  ) => ({
    ...{ precision, grade, speed },
  });
  const [exact, balanced, fast] = [
    row('exact', 'EXCELLENT', 4.8),
    row('balanced', 'EXCELLENT', 5.4),
    row('fast', 'ACCEPTABLE', 6.4),
  ] as const;
  expect(fastestExcellent([exact, balanced, fast])).toBe('balanced');
  expect(fastestExcellent([exact, { ...balanced, speed: 4 }])).toBe('exact');
  expect(fastestExcellent([fast])).toBe('exact');
});

test('quality is measured on values that can be shown', () => {
  const wanted = Float32Array.from({ length: 3 * 64 }, (_, i) => i / 192);
  expect(qualityOf(wanted, wanted, 8, 8)).toEqual({ psnr: Infinity, ssim: 1 });
  const brighter = wanted.map((value) => value + 0.01);
  // 40 dB, but for the values that are cut off at white.
  expect(qualityOf(brighter, wanted, 8, 8).psnr).toBeCloseTo(40, 0);
  const clipped = wanted.map((value) => (value === 0 ? -5 : value));
  expect(qualityOf(clipped, wanted, 8, 8).psnr).toBe(Infinity);
});
