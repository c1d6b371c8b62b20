import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { LoadedModel, Tensor } from '../../../src/inference/engine.ts';
import { createOnnxEngine } from '../../../src/inference/onnx-engine.ts';
import { onlyImage } from '../../../src/inference/only-image.ts';
import { findAdapter } from '../../../src/inference/webgpu/find-adapter.ts';
import { createWebGpuEngine } from '../../../src/inference/webgpu/webgpu-engine.ts';
import { seededRandom } from '../../../src/lib/seeded-random.ts';
import { Upscaler } from '../../../src/pipelines/upscale/upscaler.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { repeatingModel, tinySrvgg } from '../../helpers/tiny-models.ts';
import { fakeVulkanDriver, whyNoVulkan } from '../../helpers/vulkan-drivers.ts';

/*
 * All tests use one driver, because a process keeps the first one: SwiftShader behind fake-vulkan-driver.c, which can play
 * a GPU and have faults. Convolutions take SwiftShader seconds even for tiny images, so most tests use a model without any.
 */
const whyNot = whyNoVulkan();
const folder = mkdtempSync(join(tmpdir(), 'framekiln-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
const driver = whyNot === null ? fakeVulkanDriver(folder) : '';

beforeEach(({ skip }) => {
  if (whyNot !== null) skip(whyNot);
  vi.stubEnv('VK_ICD_FILENAMES', driver);
});
afterEach(() => void vi.unstubAllEnvs());

const noise = (width: number, height: number): Tensor => ({
  data: Float32Array.from({ length: 3 * width * height }, seededRandom(3)),
  shape: [1, 3, height, width],
});

async function loadOnSwiftShader(file: Uint8Array): Promise<LoadedModel> {
  const engine = createWebGpuEngine(() => findAdapter({ withSoftware: true }));
  const model = await engine.load(file, { threads: 1 });
  onTestFinished(() => model.dispose());
  return model;
}

async function resultOnCpu(file: Uint8Array, input: Tensor): Promise<Float32Array> {
  const model = await createOnnxEngine('cpu').load(file, { threads: 1 });
  onTestFinished(() => model.dispose());
  return onlyImage(await model.run(input)).data;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((soFar, value, i) => Math.max(soFar, Math.abs(value - (b[i] ?? NaN))), 0);
}

test('without a Vulkan driver the engine is not available, and says so', async () => {
  vi.stubEnv('VK_ICD_FILENAMES', '/nowhere/icd.json');
  await expect(createWebGpuEngine().load(tinySrvgg(), { threads: 1 })).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
    message: 'no Vulkan driver is installed',
  });
});

test('a driver that computes on the CPU is never used for work', async () => {
  expect(await findAdapter()).toEqual({
    adapter: null,
    isDriverMissing: true,
    reason: expect.stringMatching(/^Vulkan offers only software renderers \(SwiftShader .*\)$/) as string,
  });
});

test('without the CPU addon the GPUs of Vulkan are not known', async () => {
  expect((await findAdapter({ addon: null })).reason).toContain('the CPU addon');
});

test('a driver that crashes makes the engine unavailable, not the program crash', async () => {
  vi.stubEnv('VK_FAKE_DRIVER', 'crashes');
  expect((await findAdapter()).reason).toBe('the Vulkan drivers cannot be queried: the driver crashed');
});

test('a driver that does not respond is given up', async () => {
  vi.stubEnv('VK_FAKE_DRIVER', 'hangs');
  expect((await findAdapter({ timeoutMs: 3000 })).reason).toBe('the Vulkan driver does not respond');
});

test('a GPU is found by its name, after a model has run on it', async () => {
  vi.stubEnv('VK_FAKE_DRIVER', 'hardware');
  expect(await findAdapter()).toEqual({ adapter: { name: 'Test Radeon', kind: 'discrete' }, reason: null });
});

test('a GPU that loses its device in the first run is not used', async () => {
  vi.stubEnv('VK_FAKE_DRIVER', 'hardware');
  vi.stubEnv('VK_FAKE_LOST', driver);
  expect((await findAdapter()).reason).toMatch(/^the Test Radeon cannot run a model: /);
});

test(
  'its results are those of the CPU, for two sessions at once and images of any size',
  { tags: ['slow'] },
  async () => {
    const file = tinySrvgg();
    const models = [await loadOnSwiftShader(file), await loadOnSwiftShader(file)];
    expect(models[0]?.detail).toMatch(/SwiftShader/);
    for (const [width, height] of [
      [13, 7],
      [8, 12],
    ] as const) {
      const input = noise(width, height);
      const expected = await resultOnCpu(file, input);
      const found = await Promise.all(models.map((model) => model.run(input)));
      for (const outputs of found)
        expect(largestDifference(onlyImage(outputs).data, expected)).toBeLessThan(1e-5);
    }
  },
);

test('memory does not grow over 200 runs', { tags: ['slow'] }, async () => {
  const model = await loadOnSwiftShader(repeatingModel(2));
  const input = noise(96, 64);
  const heldAfter200Runs = async (): Promise<number> => {
    for (let i = 0; i < 200; i++) await model.run(input);
    // Of the arrays of JavaScript, more or fewer wait for the garbage collector.
    const { rss, arrayBuffers } = process.memoryUsage();
    return rss - arrayBuffers;
  };
  const before = await heldAfter200Runs();
  const grown = (await heldAfter200Runs()) - before;
  // A run reads and writes 0.37 MB; 200 runs that keep it would grow by 74 MB.
  expect(grown / 1e6).toBeLessThan(37);
});

test('a GPU that is slower than the CPU is not used', async () => {
  vi.stubEnv('VK_FAKE_DRIVER', 'hardware');
  const upscaler = await openUpscaler();
  expect(upscaler.current.engine.device).toBe('cpu');
  expect(upscaler.current.reason).toMatch(
    /^onnxruntime with WebGPU: it is not faster than onnxruntime on the CPU \([\d.]+ seconds per megapixel, compared with [\d.]+\)$/,
  );
});

/** Last: the device of this process is gone afterwards. */
test('after the device is lost, the job continues on the CPU and no frame is lost', async () => {
  vi.stubEnv('FRAMEKILN_SOFTWARE_ADAPTERS', '1');
  const lost = join(temporaryFolder(), 'lost');
  vi.stubEnv('VK_FAKE_LOST', lost);
  const said: string[] = [];
  const upscaler = await openUpscaler((reason) => said.push(reason));
  expect(upscaler.current.engine.name).toBe('onnxruntime with WebGPU');
  const random = seededRandom(9);
  const frame = (): Buffer => Buffer.from(Uint8Array.from({ length: 3 * 32 * 24 }, () => 256 * random()));
  const { signal } = new AbortController();
  const frames = [frame(), frame(), frame()];
  const found: Buffer[] = [];
  for (const [i, pixels] of frames.entries()) {
    if (i === 1) writeFileSync(lost, '');
    found.push((await upscaler.upscale(pixels, signal)).pixels);
  }
  expect(existsSync(lost)).toBe(true);
  expect(said).toEqual([expect.stringMatching(/; continuing with onnxruntime on the CPU$/)]);
  const onCpu = await openUpscaler(undefined, 'cpu');
  for (const [i, pixels] of frames.entries()) {
    const { pixels: expected } = await onCpu.upscale(pixels, signal);
    const differences = expected.map((value, at) => Math.abs(value - (found[i]?.[at] ?? NaN)));
    expect(Math.max(...differences)).toBeLessThanOrEqual(1);
  }
});

async function openUpscaler(
  onStepDown: (reason: string) => void = () => undefined,
  device: 'auto' | 'cpu' = 'auto',
): Promise<Upscaler> {
  const upscaler = await Upscaler.open({
    model: repeatingModel(2),
    device,
    engines: [createWebGpuEngine(), createOnnxEngine('cpu')],
    input: { width: 32, height: 24, pixelFormat: 'rgb24' },
    ...{ threads: 1, tile: null, overlap: 2, webGpu: 'undecided', onStepDown },
  });
  onTestFinished(() => upscaler.close());
  return upscaler;
}
