import { expect, test } from 'vitest';
import type { Engine } from '../../../../src/inference/engine.ts';
import { OnnxGraphBuilder } from '../../../../src/inference/models/onnx-graph-builder.ts';
import { encodeModel, FLOAT32 } from '../../../../src/inference/models/onnx-model.ts';
import { anySizeEngine } from '../../../../src/pipelines/upscale/any-size-engine.ts';

test.each([
  [16, 24],
  [15, 15],
])('a model of a fixed size that makes 8x8 pixels %ix%i is refused', async (width, height) => {
  const dim = [1, 3, 8, 8].map((dimValue) => ({ dimValue }));
  const builder = new OnnxGraphBuilder();
  builder.node('Relu', ['x'], 'y');
  const { graph, ...rest } = builder.build('fixed');
  const type = { tensorType: { elemType: FLOAT32, shape: { dim } } };
  const onnx = encodeModel({ ...rest, graph: { ...graph, input: [{ name: 'x', type }] } });
  const output = { name: 'y', data: new Float32Array(3 * width * height), shape: [1, 3, height, width] };
  const model = { run: () => Promise.resolve([output]), dispose: () => Promise.resolve() };
  const engine = { load: () => Promise.resolve(model) } as unknown as Engine;
  const loaded = await anySizeEngine(engine).load(onnx, {} as Parameters<Engine['load']>[1]);
  const image = { data: new Float32Array(3 * 16 * 16), shape: [1, 3, 16, 16] } as const;
  await expect(loaded.run(image)).rejects.toThrow(`made ${width}x${height} of 8x8 pixels`);
});
