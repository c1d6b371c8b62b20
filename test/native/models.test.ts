import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { ncnnToOnnx } from '../../src/inference/models/ncnn-to-onnx.ts';
import { foldScale2 } from '../../src/inference/models/fold-scale-2.ts';
import { compilePlan } from '../../src/inference/plan/compile-plan.ts';
import { runPlan, whyNoNativeProgram, type NativeOutput } from '../helpers/native-program.ts';
import { seededRandom } from '../../src/lib/seeded-random.ts';
import { sharedModels } from '../helpers/shared-media.ts';

const models = resolve(import.meta.dirname, '../../models');

/** Null where the file is not there. */
const pulled = (name: string) => (): Uint8Array | null => read(join(models, `${name}.onnx`));
const shared = (name: string) => (): Uint8Array | null => read(sharedModels(name));

function read(path: string): Uint8Array | null {
  return existsSync(path) ? readFileSync(path) : null;
}

function folded(): Uint8Array | null {
  const file = pulled('realesr-general-x4v3')();
  return file === null ? null : foldScale2(file, 'realesr-general-x4v3');
}

function animevideov3(): Uint8Array | null {
  const param = shared('realesr-animevideov3-x4.param')();
  const bin = shared('realesr-animevideov3-x4.bin')();
  return param === null || bin === null ? null : ncnnToOnnx(param.toString(), bin, 'realesr-animevideov3');
}

const upscaling = [
  { name: 'realesr-general-x4v3', file: pulled('realesr-general-x4v3'), size: [29, 37] },
  { name: 'realesr-general-x4v3, folded to x2', file: folded, size: [29, 37] },
  { name: 'realesr-animevideov3', file: animevideov3, size: [29, 37] },
  { name: 'RealESRGAN_x4plus', file: pulled('RealESRGAN_x4plus'), size: [7, 11] },
] as const;

/** Models that look at faces, with the largest number of their input. */
const looking = [
  { name: 'YuNet', file: shared('yunet_n_640_640.onnx'), size: [640, 640], largest: 255 },
  { name: 'YuNet of any size', file: shared('yunet_n_dynamic.onnx'), size: [96, 160], largest: 255 },
  { name: 'BlazeFace full-range', file: pulled('blazeface-full-range'), size: [128, 192], largest: 1 },
  { name: 'face-recognition', file: pulled('face-recognition'), size: [150, 150], largest: 255 },
] as const;

function image([height, width]: readonly [number, number], largest: number): Float32Array {
  const random = seededRandom(20_261_121);
  // Smooth, with noise on top: what a model sees, and no accident of flat colours.
  return Float32Array.from({ length: 3 * height * width }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width) % height];
    const value =
      0.5 + 0.3 * Math.sin(x / 5 + i / (height * width)) * Math.cos(y / 7) + 0.2 * (random() - 0.5);
    return value * largest;
  });
}

async function byOnnxruntime(
  file: Uint8Array,
  input: Float32Array,
  size: readonly [number, number],
): Promise<NativeOutput[]> {
  const session = await InferenceSession.create(file, { executionProviders: ['cpu'], logSeverityLevel: 3 });
  const results = await session.run({
    [session.inputNames[0] ?? '']: new Tensor('float32', input, [1, 3, ...size]),
  });
  return session.outputNames.map((name) => {
    const { dims, data } = results[name] ?? { dims: [], data: null };
    if (!(data instanceof Float32Array)) throw new TypeError(`${name} is no float32 tensor`);
    return { shape: dims, data };
  });
}

function thereOr(skip: (note: string) => never, file: () => Uint8Array | null): Uint8Array {
  if (whyNoNativeProgram !== null) skip(whyNoNativeProgram);
  return file() ?? skip('the model is not here');
}

function largestDifference(found: Float32Array, wanted: Float32Array): number {
  expect(found).toHaveLength(wanted.length);
  let largest = 0;
  for (const [i, value] of found.entries()) {
    const difference = Math.abs(value - (wanted[i] ?? NaN));
    if (!(difference <= largest)) largest = difference; // Also where it is not a number.
    if (Number.isNaN(largest)) break;
  }
  return largest;
}

/** In dB, of images in 0..1. */
function psnr(found: Float32Array, wanted: Float32Array): number {
  const squares = found.reduce((sum, value, i) => sum + (value - (wanted[i] ?? NaN)) ** 2, 0);
  return -10 * Math.log10(squares / found.length);
}

describe('plans on the CPU reference equal onnxruntime in float32', () => {
  test.for([...upscaling.map((each) => ({ ...each, largest: 1 })), ...looking])(
    '$name',
    async ({ name, file, size, largest }, { skip }) => {
      const onnx = thereOr(skip, file);
      const input = image(size, largest);
      const found = runPlan('reference', compilePlan(onnx, 'float32', name), input, size);
      const wanted = await byOnnxruntime(onnx, input, size);
      expect(found.map(({ shape }) => shape)).toEqual(wanted.map(({ shape }) => shape));
      for (const [i, { data }] of wanted.entries()) {
        // BlazeFace's numbers are pixels, up to a hundred.
        const reach = Math.max(1, ...data.map(Math.abs)) > 10 ? 10 : 1;
        expect(largestDifference(found[i]?.data ?? new Float32Array(), data)).toBeLessThan(1e-4 * reach);
      }
    },
  );
});

describe('plans on the emulated kernels match float32 within half precision', () => {
  test.for(upscaling)('$name', ({ name, file, size }, { skip }) => {
    const onnx = thereOr(skip, file);
    const input = image(size, 1);
    const [found] = runPlan('device', compilePlan(onnx, 'float16', name), input, size);
    const [wanted] = runPlan('reference', compilePlan(onnx, 'float32', name), input, size);
    const images = [found?.data ?? new Float32Array(), wanted?.data ?? new Float32Array()] as const;
    expect(psnr(...images)).toBeGreaterThan(50);
    expect(largestDifference(...images)).toBeLessThan(2 / 255);
  });
});

describe('face models on the emulated kernels match float32 within half precision', () => {
  const small = looking.filter(({ name }) => name !== 'YuNet');
  test.for(small)('$name', { timeout: 120_000 }, ({ name, file, size, largest }, { skip }) => {
    const onnx = thereOr(skip, file);
    const input = image(size, largest);
    const found = runPlan('device', compilePlan(onnx, 'float16', name), input, size);
    const wanted = runPlan('reference', compilePlan(onnx, 'float32', name), input, size);
    for (const [i, { data }] of wanted.entries()) {
      const reach = Math.max(1, ...data.map(Math.abs));
      expect(largestDifference(found[i]?.data ?? new Float32Array(), data)).toBeLessThan(0.01 * reach);
    }
  });
});
