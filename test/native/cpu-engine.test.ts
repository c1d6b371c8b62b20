import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  createCpuEngine,
  describeCpuEngine,
  isCpuAddonBuilt,
  loadCpuAddon,
} from '../../src/inference/cpu-engine.ts';
import type { Engine } from '../../src/inference/engine.ts';
import { chooseEngine } from '../../src/inference/load-model.ts';
import { frameTrial } from '../../src/pipelines/upscale/frame-trial.ts';
import { foldScale2 } from '../../src/inference/models/fold-scale-2.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { compilePlan } from '../../src/inference/plan/compile-plan.ts';
import { seededRandom } from '../../src/lib/seeded-random.ts';
import { Upscaler } from '../../src/pipelines/upscale/upscaler.ts';
import { blindBlazeFace, tinySrvgg } from '../helpers/tiny-models.ts';

const whyNot = isCpuAddonBuilt() ? null : 'the CPU engine is not built (npm run setup needs g++)';
const instructionSets = describeCpuEngine().instructionSets;
const models = resolve(import.meta.dirname, '../../models');
const EXACT = { threads: 2, precision: 'exact' } as const;

function pulled(name: string): Uint8Array | null {
  const path = join(models, `${name}.onnx`);
  return existsSync(path) ? readFileSync(path) : null;
}

function folded(name: string): Uint8Array | null {
  const file = pulled(name);
  return file === null ? null : foldScale2(file, name);
}

function noise(count: number): Uint8Array {
  const random = seededRandom(20_261_127);
  return Uint8Array.from({ length: count }, (_, i) => 128 + 90 * Math.sin(i / 40) + 30 * random());
}

/** In dB, of images in 0..1. */
function psnr(found: Float32Array, wanted: Float32Array): number {
  expect(found).toHaveLength(wanted.length);
  const squares = found.reduce((sum, value, i) => sum + (value - (wanted[i] ?? NaN)) ** 2, 0);
  return -10 * Math.log10(squares / found.length);
}

async function runOn(
  engine: Engine,
  model: Uint8Array,
  data: Float32Array,
  [height, width]: [number, number],
) {
  const loaded = await engine.load(model, EXACT);
  try {
    return (await loaded.run({ data, shape: [1, 3, height, width] }))[0] ?? expect.fail('no output');
  } finally {
    await loaded.dispose();
  }
}

describe.for([
  { name: 'a tiny model', file: () => tinySrvgg(), size: [41, 67] },
  { name: 'realesr-general-x4v3', file: () => pulled('realesr-general-x4v3'), size: [45, 62] },
  { name: 'realesr-general-x4v3 folded to x2', file: () => folded('realesr-general-x4v3'), size: [45, 62] },
  { name: 'RealESRGAN_x4plus', file: () => pulled('RealESRGAN_x4plus'), size: [13, 18] },
] as const)('$name', ({ file, size: [height, width] }) => {
  test.for([...instructionSets])('on %s equals onnxruntime within 100 dB', async (isa, { skip }) => {
    const model = file() ?? skip('the model is not here');
    const data = Float32Array.from(noise(3 * height * width), (value) => value / 255);
    const found = await runOn(createCpuEngine(loadCpuAddon, isa), model, data, [height, width]);
    const wanted = await runOn(createOnnxEngine('cpu'), model, data, [height, width]);
    expect(found.name).toBe(wanted.name);
    expect(found.shape).toEqual(wanted.shape);
    expect(psnr(found.data, wanted.data)).toBeGreaterThanOrEqual(100);
  });
});

test.for(['rgb24', 'rgb48le'] as const)(
  'frames of %s, whole and in tiles, are those of onnxruntime within rounding',
  async (pixelFormat, { skip }) => {
    if (whyNot !== null) skip(whyNot);
    const input = { width: 61, height: 47, pixelFormat };
    const pixels = Buffer.from(noise(3 * 61 * 47 * (pixelFormat === 'rgb24' ? 1 : 2)));
    const upscaled = async (engine: Engine, tile: number | null) => {
      const upscaler = await Upscaler.open({
        ...{ model: tinySrvgg(), device: 'cpu', engines: [engine], overlap: 2, input, tile },
        ...{ ...EXACT, onStepDown: () => undefined },
      });
      const { pixels: frame } = await upscaler.upscale(pixels, new AbortController().signal);
      await upscaler.close();
      return pixelFormat === 'rgb24'
        ? frame
        : new Uint16Array(frame.buffer, frame.byteOffset, frame.length / 2);
    };
    const wanted = await upscaled(createOnnxEngine('cpu'), null);
    for (const tile of [null, 20]) {
      const found = await upscaled(createCpuEngine(), tile);
      expect(found).toHaveLength(wanted.length);
      const largest = Array.from(found).reduce(
        (soFar, value, i) => Math.max(soFar, Math.abs(value - (wanted[i] ?? NaN))),
        0,
      );
      expect(largest).toBeLessThanOrEqual(1);
    }
  },
);

test('it is used before onnxruntime, and gives way for jobs without precision and for other models', async ({
  skip,
}) => {
  if (whyNot !== null) skip(whyNot);
  const engines = [createCpuEngine(), createOnnxEngine('cpu')];
  const used = async (model: Uint8Array, options: { threads: number; precision?: 'exact' }) => {
    const { model: loaded, engine, reason } = await chooseEngine(model, 'cpu', engines, options, frameTrial);
    await loaded.dispose();
    return { name: engine.name, reason };
  };
  expect(await used(tinySrvgg(), EXACT)).toEqual({ name: 'Framekiln CPU engine', reason: null });
  expect(await used(tinySrvgg(), { threads: 2 })).toEqual({ name: 'onnxruntime on the CPU', reason: null });
  await expect(createCpuEngine().load(blindBlazeFace(), EXACT)).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
    message: expect.stringContaining('does not support') as string,
  });
});

test('an instruction set that this machine lacks makes the engine unavailable', async ({ skip }) => {
  if (whyNot !== null) skip(whyNot);
  const engines = [createCpuEngine(loadCpuAddon, 'altivec'), createOnnxEngine('cpu')];
  const { engine, reason, model } = await chooseEngine(tinySrvgg(), 'cpu', engines, EXACT, frameTrial);
  await model.dispose();
  expect(engine.name).toBe('onnxruntime on the CPU');
  expect(reason).toBe('Framekiln CPU engine: This machine does not have the instruction set altivec');
});

test('an addon that is missing or cannot be loaded makes the engine unavailable and does not crash', async () => {
  for (const [path, message] of [
    ['/nowhere/framekiln_cpu.node', 'the CPU addon is not installed'],
    [import.meta.filename, 'the CPU addon cannot be loaded'],
  ] as const) {
    const engine = createCpuEngine(() => loadCpuAddon(path));
    await expect(engine.load(tinySrvgg(), EXACT)).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringContaining(message) as string,
    });
    expect(describeCpuEngine(path)).toMatchObject({
      instructionSets: [],
      reason: expect.stringContaining(message) as string,
    });
  }
});

test('arguments that do not fit are rejected without a crash', async ({ skip }) => {
  if (whyNot !== null) skip(whyNot);
  const addon = loadCpuAddon();
  await expect(addon.load(Uint8Array.of(1, 2, 3), 1, '', 'exact')).rejects.toMatchObject({
    code: 'PLAN_INVALID',
  });
  expect(() => addon.load('no bytes' as unknown as Uint8Array, 1, '', 'exact')).toThrow(
    'plan must be a Uint8Array.',
  );
  const model = await addon.load(compilePlan(tinySrvgg(), 'float32', 'tiny'), 1, '', 'exact');
  const [frame, target] = [new Uint8Array(48), new Uint8Array(48 * 16)];
  const upscale = (window: number[], core: number[], from = frame) =>
    model.upscale(from, 4, 4, 1, window, core, target);
  expect(() => upscale([0, 0, 5, 4], [0, 0, 4, 4])).toThrow('The core must lie in the window');
  expect(() => upscale([0, 0, 4, 4], [1, 0, 4, 4])).toThrow('The core must lie in the window');
  expect(() => upscale([0, 0, 4, 4], [0, 0, 0, 4])).toThrow('The core must lie in the window');
  expect(() => upscale([0, 0, 4, 4], [0, 0, 4, 4], new Uint8Array(47))).toThrow('The length of frame');
  expect(() => model.run(new Float32Array(5), 1, 2)).toThrow('The length of data');
  await upscale([0, 0, 4, 4], [1, 1, 2, 2]);
  const running = model.run(new Float32Array(48), 4, 4);
  model.dispose();
  model.dispose();
  expect(await running).toHaveLength(48 * 16);
  expect(() => model.run(new Float32Array(48), 4, 4)).toThrow('The model has been disposed.');
});
