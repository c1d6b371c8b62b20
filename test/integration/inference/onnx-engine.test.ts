import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import type { LoadedModel, Tensor } from '../../../src/inference/engine.ts';
import { createOnnxEngine, installedProviders } from '../../../src/inference/onnx-engine.ts';
import { onlyImage } from '../../../src/inference/only-image.ts';
import { seededRandom } from '../../../src/lib/seeded-random.ts';
import { repeatingModel, tinySrvgg } from '../../helpers/tiny-models.ts';

const engine = createOnnxEngine('cpu');

async function load(file: Uint8Array): Promise<LoadedModel> {
  const model = await engine.load(file, { threads: 1 });
  onTestFinished(() => model.dispose());
  return model;
}

const square = (edge: number): Tensor => ({
  data: new Float32Array(3 * edge * edge),
  shape: [1, 3, edge, edge],
});

test('a model runs on images of any size, and each result is a new tensor', async () => {
  const model = await load(repeatingModel(2));
  const input: Tensor = { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [1, 3, 1, 2] };
  const first = onlyImage(await model.run(input));
  expect(first.shape).toEqual([1, 3, 2, 4]);
  await model.run({ data: new Float32Array(6), shape: [1, 3, 1, 2] });
  expect([...first.data.slice(0, 8)]).toEqual([1, 1, 2, 2, 1, 1, 2, 2]);
  expect(onlyImage(await model.run(square(5))).shape).toEqual([1, 3, 10, 10]);
});

test('running out of memory has its own code', async () => {
  // 3 x 4194304 x 4194304 numbers: more than any address space holds.
  const hungry = await load(repeatingModel(65_536));
  await expect(hungry.run(square(64))).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
  const model = await load(tinySrvgg());
  const grey: Tensor = { data: new Float32Array(16), shape: [1, 1, 4, 4] };
  await expect(model.run(grey)).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
});

test('a file that onnxruntime cannot load is rejected', async () => {
  await expect(engine.load(Buffer.from('nothing'), { threads: 1 })).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
  });
});

test('a model can be disposed of twice', async () => {
  const model = await load(tinySrvgg());
  await model.dispose();
  await model.dispose();
});

test('the result is identical for any number of threads', async () => {
  const input: Tensor = {
    data: Float32Array.from({ length: 3 * 64 * 80 }, seededRandom(5)),
    shape: [1, 3, 64, 80],
  };
  const results = await Promise.all(
    [1, 2, 3].map(async (threads) => {
      const model = await engine.load(tinySrvgg(), { threads });
      onTestFinished(() => model.dispose());
      return Buffer.from(onlyImage(await model.run(input)).data.buffer);
    }),
  );
  for (const result of results) expect(result.equals(results[0] ?? Buffer.alloc(0))).toBe(true);
});

test('the CPU is the last of the installed providers', () => {
  expect(installedProviders().at(-1)).toBe('cpu');
});

// The worker keeps onnxruntime on a thread and starts a new one for each job.
test('onnxruntime runs on several threads in turn, which then exit', async () => {
  const code = `
    const { workerData, parentPort } = require('node:worker_threads');
    const { InferenceSession, Tensor } = require('onnxruntime-node');
    (async () => {
      const session = await InferenceSession.create(workerData, { logSeverityLevel: 3 });
      const { output } = await session.run({ input: new Tensor('float32', new Float32Array(48), [1, 3, 4, 4]) });
      parentPort.postMessage(output.dims);
      await session.release();
    })();`;
  for (let i = 0; i < 3; i++) {
    const messages: unknown[] = [];
    const thread = new Worker(code, { eval: true, workerData: tinySrvgg() });
    thread.on('message', (message) => messages.push(message));
    const exitCode = await new Promise((resolve) => thread.once('exit', resolve));
    expect({ exitCode, messages }).toEqual({ exitCode: 0, messages: [[1, 3, 16, 16]] });
  }
});
