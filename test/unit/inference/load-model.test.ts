import { expect, test } from 'vitest';
import { EngineError } from '../../../src/domain/errors.ts';
import type { Engine, Tensor } from '../../../src/inference/engine.ts';
import { loadModel } from '../../../src/inference/load-model.ts';

const MODEL = new Uint8Array();

/** An engine whose models do `run`, and a list of what happened to them. */
function engineOf(device: 'cpu' | 'gpu', run: (input: Tensor) => Tensor): Engine & { events: string[] } {
  const events: string[] = [];
  return {
    name: `test ${device}`,
    device,
    events,
    load() {
      events.push('loaded');
      return Promise.resolve({
        run: (input) => Promise.resolve().then(() => [{ name: 'output', ...run(input) }]),
        dispose: () => Promise.resolve(void events.push('disposed')),
      });
    },
  };
}

const times = (factor: number) => (input: Tensor) => {
  const [n, c, h, w] = input.shape;
  const data = new Float32Array(input.data.length * factor * factor);
  return { data, shape: [n, c, h * factor, w * factor] as const };
};
const broken = (): never => {
  throw new EngineError('ENGINE_FAILED', 'the driver is too old');
};

test('the first engine that really runs the model is taken, and its scale is found out', async () => {
  const gpu = engineOf('gpu', times(3));
  const cpu = engineOf('cpu', times(3));
  const ready = await loadModel(MODEL, 'auto', [gpu, cpu], { threads: 1 });
  expect(ready).toMatchObject({ engine: gpu, scale: 3, reason: null });
  // It made the image that the GPU's was held against.
  expect(cpu.events).toEqual(['loaded', 'disposed']);
});

test('a GPU whose image is another one than the CPU’s is not trusted', async () => {
  for (const wrong of [1, NaN]) {
    const gpu = engineOf('gpu', (input) => {
      const image = times(2)(input);
      image.data[77] = wrong;
      return image;
    });
    const cpu = engineOf('cpu', times(2));
    const ready = await loadModel(MODEL, 'auto', [gpu, cpu], { threads: 1 });
    expect(ready.engine).toBe(cpu);
    expect(ready.reason).toMatch(/^test gpu: the result for the test image differs/);
    expect(gpu.events).toEqual(['loaded', 'disposed']);
  }
});

test.each(['auto', 'gpu'] as const)(
  'a GPU that fails its trial gives way to the CPU, and says why: %s',
  async (device) => {
    const gpu = engineOf('gpu', broken);
    const cpu = engineOf('cpu', times(4));
    const ready = await loadModel(MODEL, device, [gpu, cpu], { threads: 1 });
    expect(ready).toMatchObject({ engine: cpu, scale: 4, reason: 'test gpu: the driver is too old' });
    expect(gpu.events).toEqual(['loaded', 'disposed']);
  },
);

test('with device cpu no GPU is tried', async () => {
  const gpu = engineOf('gpu', times(4));
  const ready = await loadModel(MODEL, 'cpu', [gpu, engineOf('cpu', times(4))], { threads: 1 });
  expect(ready).toMatchObject({ engine: { device: 'cpu' }, reason: null });
  expect(gpu.events).toEqual([]);
});

test('without a GPU engine the CPU does it, and says so', async () => {
  const ready = await loadModel(MODEL, 'gpu', [engineOf('cpu', times(2))], { threads: 1 });
  expect(ready.reason).toBe('no GPU engine is installed');
});

test('a model that does not upscale both edges alike is rejected, and given back', async () => {
  const cpu = engineOf('cpu', ({ data }) => ({ data, shape: [1, 3, 8, 32] }));
  const rejection = loadModel(MODEL, 'cpu', [cpu], { threads: 1 });
  await expect(rejection).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  await expect(rejection).rejects.toThrow('the output 1x3x8x32 for a 1x3x16x16 test image');
  expect(cpu.events).toEqual(['loaded', 'disposed']);
});
