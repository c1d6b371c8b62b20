import { expect, test } from 'vitest';
import {
  measuredTime,
  productsPerPixel,
  splitScreenTime,
  type CoreSpeed,
  type ModelSpeed,
} from '../../../src/domain/speed.ts';

const CORE: CoreSpeed = { msPerProduct: 1e-6, msPerEncodedPixel: 5e-5, cores: 2 };
const MODEL: ModelSpeed = {
  ...{ engine: 'e', device: 'cpu', scale: 4, msPerPixel: 0.001, loadMs: 1000, memoryBytes: null },
} as const;
const VIDEO = { width: 100, height: 100 };
const recipe = (scale: number) => ({ pipeline: 'upscale', scale }) as const;

test('on the CPU, inference shares the cores with decoding and encoding', () => {
  const request = { core: CORE, windowPixels: 10_000 };
  const frame = measuredTime(recipe(4), VIDEO, { ...request, model: MODEL });
  // 10 ms of both cores, and 160,000 pixels of 95 ns on one of them.
  expect(frame.frameMs).toBeCloseTo(10 + 15.2 / 2, 6);
  expect(frame.startMs).toBe(2500);
});

test('a GPU works beside the cores, so the slower of them decides', () => {
  const request = { core: CORE, windowPixels: 10_000 };
  const gpu = { ...MODEL, device: 'gpu' } as const;
  expect(measuredTime(recipe(4), VIDEO, { ...request, model: gpu }).frameMs).toBeCloseTo(10, 6);
  const fast = { ...gpu, msPerPixel: 0.0001 };
  expect(measuredTime(recipe(4), VIDEO, { ...request, model: fast }).frameMs).toBeCloseTo(7.6, 6);
});

test('overlapping tiles cost what the model reads', () => {
  const request = { core: { ...CORE, msPerEncodedPixel: 0 }, model: MODEL };
  const whole = measuredTime(recipe(2), VIDEO, { ...request, windowPixels: 10_000 }).frameMs;
  const tiled = measuredTime(recipe(2), VIDEO, { ...request, windowPixels: 25_000 }).frameMs;
  expect(tiled / whole).toBeCloseTo(2.5, 6);
});

test('ffmpeg resamples for lanczos and sharp shrinks, both far faster than our resampler enlarges', () => {
  const core = { ...CORE, msPerEncodedPixel: 0, cores: 1 };
  const none = { core, windowPixels: 0 };
  const lanczos = measuredTime(recipe(2), VIDEO, { ...none, model: null }).frameMs;
  expect(lanczos).toBeCloseTo(0.04 * 40_000 * 27 * 1e-6, 9);
  const shrunk = measuredTime(recipe(3), VIDEO, { ...none, model: MODEL }).frameMs;
  expect(shrunk).toBeCloseTo(0.18 * 90_000 * productsPerPixel(3, 4) * 1e-6, 9);
  const enlarged = measuredTime(recipe(3), VIDEO, { ...none, model: { ...MODEL, scale: 2 } }).frameMs;
  expect(enlarged).toBeCloseTo(90_000 * productsPerPixel(3, 2) * 1e-6, 9);
});

test('the passes of a split screen leave the other cores to decoding and encoding', () => {
  // 10 ms on one core, and 10,000 pixels of 5 µs on any: 1.9 times for the result and 1.3 times for the source.
  const core = { ...CORE, msPerEncodedPixel: 0.005 };
  const work = { sourcePixels: 10_000, pixels: 10_000 };
  expect(splitScreenTime(work, MODEL, core).frameMs).toBeCloseTo((10 + 95 + 65) / 2, 6);
  expect(splitScreenTime(work, MODEL, { ...core, cores: 1 }).frameMs).toBeCloseTo(170, 6);
  expect(splitScreenTime(work, MODEL, { ...core, cores: 64 }).frameMs).toBeCloseTo(10, 6);
});

test('nothing is resampled at the scale of the model, nor at 2x, which it gives itself', () => {
  expect([productsPerPixel(4, 4), productsPerPixel(2, 4)]).toEqual([0, 0]);
  expect(productsPerPixel(3, 4)).toBeCloseTo(3 * 8 * (4 / 3 + 1));
  expect(productsPerPixel(2, 1)).toBe(27);
});
