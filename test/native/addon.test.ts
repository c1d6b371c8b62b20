import { expect, test } from 'vitest';
import { addonPath, createCudaEngine, loadAddon } from '../../src/inference/cuda-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { chooseEngine } from '../../src/inference/load-model.ts';
import { frameTrial } from '../../src/pipelines/upscale/frame-trial.ts';
import { tinySrvgg } from '../helpers/tiny-models.ts';

const whyNot = addonPath() === null ? 'the addon is not built (npm run build:native needs nvcc)' : null;

test('the addon loads without a GPU, and says why there is none', ({ skip }) => {
  if (whyNot !== null) skip(whyNot);
  const { devices, reason } = loadAddon().describeDevices();
  if (devices.length === 0) expect(reason).toMatch(/\w+ \w+/);
  else expect(devices[0]?.totalBytes).toBeGreaterThan(1e9);
});

test('bytes that are not a plan are rejected without a crash', async ({ skip }) => {
  if (whyNot !== null) skip(whyNot);
  const addon = loadAddon();
  const code = addon.describeDevices().devices.length === 0 ? 'NO_DEVICE' : 'PLAN_INVALID';
  await expect(addon.load(Uint8Array.of(1, 2, 3), 0)).rejects.toMatchObject({ code });
  expect(() => addon.load('no bytes' as unknown as Uint8Array, 0)).toThrow('plan must be a Uint8Array.');
  expect(() => addon.load(new Uint8Array(), -1)).toThrow('device must be an integer');
});

test('without a GPU the CPU is used, and the reason is given', async ({ skip }) => {
  if (whyNot !== null) skip(whyNot);
  if (loadAddon().describeDevices().devices.length > 0) skip('there is a GPU');
  const engines = [createCudaEngine(), createOnnxEngine('cpu')];
  const ready = await chooseEngine(tinySrvgg(), 'gpu', engines, { threads: 1 }, frameTrial);
  expect(ready.engine.device).toBe('cpu');
  expect(ready.reason).toMatch(/^Framekiln CUDA engine: \w+/);
  await ready.model.dispose();
});

test('an addon that cannot be loaded makes the engine unavailable and does not crash', async () => {
  const engine = createCudaEngine(() => loadAddon(import.meta.filename));
  await expect(engine.load(tinySrvgg(), { threads: 1 })).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
    message: expect.stringContaining('the CUDA addon cannot be loaded') as string,
  });
});
