import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createCudaEngine, loadAddon } from '../../../src/inference/cuda-engine.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { Upscaler } from '../../../src/pipelines/upscale/upscaler.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { repeatingModel } from '../../helpers/tiny-models.ts';

const SCALE = 2;
const FAKE = createRequire(import.meta.url).resolve('../../helpers/fake-cuda-addon.cjs');

/** Which engine a job with this CUDA addon uses, and why not the GPU. */
async function chosenWith(fault: string | null) {
  const addon = join(temporaryFolder(), 'framekiln_cuda.cjs');
  writeFileSync(
    addon,
    `module.exports = require(${JSON.stringify(FAKE)})(${SCALE}, ${JSON.stringify(fault)});`,
  );
  const upscaler = await Upscaler.open({
    model: repeatingModel(SCALE),
    device: 'auto',
    engines: [createCudaEngine(() => loadAddon(addon)), createOnnxEngine('cpu')],
    input: { width: 64, height: 48, pixelFormat: 'rgb24' },
    ...{ threads: 1, tile: null, overlap: 2, onStepDown: () => undefined },
  });
  onTestFinished(() => upscaler.close());
  const { engine, model, reason } = upscaler.current;
  return { device: engine.device, reason, ...(model.detail === undefined ? {} : { detail: model.detail }) };
}

test('a GPU whose frames are those of the CPU is used', async () => {
  expect(await chosenWith(null)).toEqual({ device: 'gpu', reason: null });
});

test.each([
  'second block',
  'tile beside its place',
  'swapped bytes',
  'second run',
  'two at once',
  'one pixel',
  '44 dB',
])('a GPU with a fault is not used: %s', async (fault) => {
  const { device, reason } = await chosenWith(fault);
  expect(device).toBe('cpu');
  expect(reason).toMatch(
    /^Framekiln CUDA engine: the result for a test frame differs from that of the CPU \(/,
  );
});

test('on a GPU whose newest instruction gives wrong frames, its other kernels are used', async () => {
  expect(await chosenWith('wgmma')).toEqual({ device: 'gpu', reason: null, detail: 'without wgmma' });
});

test('a GPU that is lost during the trial is not used', async () => {
  expect(await chosenWith('loses the device')).toEqual({
    device: 'cpu',
    reason: 'Framekiln CUDA engine: cudaErrorUnknown',
  });
});
