import type { Precision } from '../domain/job.ts';
import type { EncoderSpeed } from './measure-encoder.ts';

/** Sizes of the source, with the names that people use for them. */
export const BENCH_SIZES = [
  { name: '480p', width: 854, height: 480 },
  { name: '720p', width: 1280, height: 720 },
  { name: '1080p', width: 1920, height: 1080 },
] as const;
export const BENCH_SCALES = [2, 3, 4] as const;
/** Lengths for which the time of a video of 1080p at 30 fps and scale 2 is given. */
export const BENCH_LENGTHS = [
  { name: '10 s', seconds: 10 },
  { name: '1 min', seconds: 60 },
  { name: '5 min', seconds: 300 },
] as const;
export const BENCH_FRAME_RATE = 30;

/** Speed of whole jobs with one size and scale. */
export interface BenchRate {
  readonly size: (typeof BENCH_SIZES)[number]['name'];
  readonly scale: (typeof BENCH_SCALES)[number];
  readonly framesPerSecond: number;
}

export interface BenchModel {
  /** As in a recipe: a name, or the path of an ONNX file. */
  readonly model: string;
  readonly device: 'cpu' | 'gpu';
  /** null for `lanczos`, which needs no engine. */
  readonly engine: string | null;
  /** null where the engine has only one. */
  readonly precision: Precision | null;
  readonly rates: readonly BenchRate[];
  /** Seconds for each length of `BENCH_LENGTHS`. */
  readonly seconds: readonly { readonly length: string; readonly seconds: number }[];
}

/** What `framekiln bench --json` prints. */
export interface BenchReport {
  readonly program: string;
  /** ISO 8601. */
  readonly at: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly gpus: readonly string[] };
  readonly models: readonly BenchModel[];
  readonly encoders: readonly EncoderSpeed[];
  /** What could not be measured, and why. */
  readonly missing: readonly { readonly model: string; readonly reason: string }[];
}
