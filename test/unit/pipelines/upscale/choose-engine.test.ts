import { expect, test } from 'vitest';
import { EngineError, GpuUnavailableError } from '../../../../src/domain/errors.ts';
import type { WebGpuUse } from '../../../../src/domain/job.ts';
import type { Engine, LoadOptions, Tensor } from '../../../../src/inference/engine.ts';
import type { Device } from '../../../../src/domain/recipe.ts';
import { Upscaler } from '../../../../src/pipelines/upscale/upscaler.ts';

const MODEL = new Uint8Array();

/** An engine with the given `run`, and a list of what happened to its models. */
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
  const data = new Float32Array(input.data.length * factor * factor).fill(0.5);
  return { data, shape: [n, c, h * factor, w * factor] as const };
};
async function choose(device: Device, engines: readonly Engine[], webGpu?: WebGpuUse) {
  const input = { width: 8, height: 6, pixelFormat: 'rgb24' } as const;
  const rest = { threads: 1, tile: null, overlap: 0, input, webGpu, onStepDown: () => undefined };
  return (await Upscaler.open({ model: MODEL, device, engines, ...rest })).current;
}
const broken = (): never => {
  throw new EngineError('ENGINE_FAILED', 'the driver is too old');
};

test('the first engine that can run the model is used, and its scale is determined', async () => {
  const gpu = engineOf('gpu', times(3));
  const cpu = engineOf('cpu', times(3));
  const ready = await choose('auto', [gpu, cpu]);
  expect(ready).toMatchObject({ engine: gpu, scale: 3, reason: null });
  // It made the image that the GPU's was held against.
  expect(cpu.events).toEqual(['loaded', 'disposed']);
});

test('a GPU whose result differs from the CPU’s is not used', async () => {
  for (const wrong of [1, NaN]) {
    const gpu = engineOf('gpu', (input) => {
      const image = times(2)(input);
      image.data[77] = wrong;
      return image;
    });
    const cpu = engineOf('cpu', times(2));
    const ready = await choose('auto', [gpu, cpu]);
    expect(ready.engine).toBe(cpu);
    expect(ready.reason).toMatch(/^test gpu: the result for a test frame differs/);
    expect(gpu.events).toEqual(['loaded', 'disposed']);
  }
});

test.each(['auto', 'gpu'] as const)(
  'the CPU is used if a GPU fails its test, and the reason is given: %s',
  async (device) => {
    const gpu = engineOf('gpu', broken);
    const cpu = engineOf('cpu', times(4));
    const ready = await choose(device, [gpu, cpu]);
    expect(ready).toMatchObject({ engine: cpu, scale: 4, reason: 'test gpu: the driver is too old' });
    expect(gpu.events).toEqual(['loaded', 'disposed']);
  },
);

test('device cpu uses no GPU', async () => {
  const gpu = engineOf('gpu', times(4));
  const ready = await choose('cpu', [gpu, engineOf('cpu', times(4))]);
  expect(ready).toMatchObject({ engine: { device: 'cpu' }, reason: null });
  expect(gpu.events).toEqual([]);
});

test('device gpu-only uses no CPU: without a GPU that works, it fails with the reasons', async () => {
  const cpu = engineOf('cpu', times(4));
  const none = choose('gpu-only', [cpu]);
  await expect(none).rejects.toThrow('No GPU can run the model (no GPU engine is installed)');
  const fails = choose('gpu-only', [engineOf('gpu', broken), cpu]);
  await expect(fails).rejects.toThrow(GpuUnavailableError);
  await expect(fails).rejects.toThrow('No GPU can run the model (test gpu: the driver is too old)');
  const gpu = engineOf('gpu', times(4));
  const works = await choose('gpu-only', [gpu, cpu]);
  expect(works.engine).toBe(gpu);
});

test('without a GPU engine, the CPU is used and the reason is given', async () => {
  const ready = await choose('gpu', [engineOf('cpu', times(2))]);
  expect(ready.reason).toBe('no GPU engine is installed');
});

test('a model with different scales in both directions is rejected and disposed', async () => {
  const cpu = engineOf('cpu', ({ data }) => ({ data, shape: [1, 3, 8, 32] }));
  const rejection = choose('cpu', [cpu]);
  await expect(rejection).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  await expect(rejection).rejects.toThrow('the output 1x3x8x32 for a 1x3x16x16 test image');
  expect(cpu.events).toEqual(['loaded', 'disposed']);
});

test('the speed decides about an engine once; later the plan does', async () => {
  const slow = {
    ...engineOf('gpu', (input) => {
      const startedAtMs = performance.now();
      while (performance.now() - startedAtMs < 5) continue;
      return times(2)(input);
    }),
    mustBeatCpu: true,
    isFor: ({ webGpu }: LoadOptions) => webGpu === 'undecided' || webGpu === 'used',
  };
  const engines = [slow, engineOf('cpu', times(2))];
  const measured = await choose('auto', engines, 'undecided');
  expect(measured.reason).toMatch(/^test gpu: it is not faster than test cpu/);
  expect(await choose('auto', engines, 'used')).toMatchObject({ engine: slow, reason: null });
  for (const webGpu of ['unused', undefined] as const)
    expect((await choose('auto', engines, webGpu)).reason).toBe('test gpu: this job does not use it');
});

test('a GPU that is far slower than the CPU is given up before its trial', async () => {
  const sizes: number[] = [];
  const slow = {
    ...engineOf('gpu', (input) => {
      sizes.push(input.shape[3]);
      const startedAtMs = performance.now();
      while (performance.now() - startedAtMs < 100) continue;
      return times(2)(input);
    }),
    mustBeatCpu: true,
  };
  const { reason } = await choose('auto', [slow, engineOf('cpu', times(2))], 'undecided');
  expect(reason).toMatch(/^test gpu: it is not faster than test cpu/);
  expect(new Set(sizes)).toEqual(new Set([16, 64]));
});

test.each([2, 4, 16])(
  'a GPU passes its trial with a model that accepts only multiples of %i',
  async (unit) => {
    const picky = (input: Tensor): Tensor => {
      const [, , height, width] = input.shape;
      if (height % unit !== 0 || width % unit !== 0)
        throw new EngineError('ENGINE_FAILED', `cannot reshape ${width}x${height}`);
      return times(2)(input);
    };
    const gpu = { ...engineOf('gpu', picky), mustBeatCpu: true };
    const slowCpu = engineOf('cpu', (input) => {
      const startedAtMs = performance.now();
      while (performance.now() - startedAtMs < 20) continue;
      return picky(input);
    });
    expect(await choose('auto', [gpu, slowCpu], 'undecided')).toMatchObject({ engine: gpu, reason: null });
  },
);
