import { PRECISIONS, type Precision } from '../domain/job.ts';
import { psnr, ssim } from './image-quality.ts';

/** How much an upscaled image differs from what onnxruntime makes of the same source. */
export interface Quality {
  /** In dB; Infinity for equal images. */
  readonly psnr: number;
  readonly ssim: number;
}

export type Grade = 'EXCELLENT' | 'ACCEPTABLE' | 'NOT_RECOMMENDED';

export interface Graded {
  readonly grade: Grade;
  /** The worst values of all images, which decide the grade. */
  readonly worst: Quality;
  readonly mean: Quality;
}

/** From 50 dB on, no component of 8 bits differs by more than a level or two. */
const EXCELLENT: Quality = { psnr: 50, ssim: 0.999 };
const ACCEPTABLE: Quality = { psnr: 40, ssim: 0.99 };

/** @param found planes [3, height, width] */
export function qualityOf(found: Float32Array, wanted: Float32Array, width: number, height: number): Quality {
  return { psnr: psnr(found, wanted), ssim: ssim(found, wanted, width, height) };
}

/** Grades a precision by its images; one that is bad is enough. */
export function gradeOf(images: readonly Quality[]): Graded {
  const combine = (numbers: (values: readonly number[]) => number): Quality => ({
    psnr: numbers(images.map((image) => image.psnr)),
    ssim: numbers(images.map((image) => image.ssim)),
  });
  const worst = combine((values) => Math.min(...values));
  const mean = combine((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
  const reaches = (least: Quality): boolean => worst.psnr >= least.psnr && worst.ssim >= least.ssim;
  const grade = reaches(EXCELLENT) ? 'EXCELLENT' : reaches(ACCEPTABLE) ? 'ACCEPTABLE' : 'NOT_RECOMMENDED';
  return { grade, worst, mean };
}

/** The fastest excellent precision; the most exact one if none is. */
export function fastestExcellent(
  rows: readonly { readonly precision: Precision; readonly grade: Grade; readonly speed: number }[],
): Precision {
  const [best] = rows.filter(({ grade }) => grade === 'EXCELLENT').toSorted((a, b) => b.speed - a.speed);
  return best?.precision ?? PRECISIONS[0];
}
