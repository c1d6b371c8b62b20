import { expect, onTestFinished, test } from 'vitest';
import type { Tensor } from '../../../../src/inference/engine.ts';
import { foldScale2 } from '../../../../src/inference/models/fold-scale-2.ts';
import { decodeModel } from '../../../../src/inference/models/onnx-model.ts';
import { createOnnxEngine } from '../../../../src/inference/onnx-engine.ts';
import { onlyImage } from '../../../../src/inference/only-image.ts';
import { averageOfEach2x2, largestDifference } from '../../../helpers/images.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';
import { changedModel, repeatingModel, tinySrvgg } from '../../../helpers/tiny-models.ts';

async function run(file: Uint8Array, input: Tensor): Promise<Tensor> {
  const model = await createOnnxEngine('cpu').load(file, { threads: 1 });
  onTestFinished(() => model.dispose());
  return onlyImage(await model.run(input));
}

test('the folded model returns the average of each 2x2 pixels of the x4 model', async () => {
  const random = seededRandom(3);
  const data = Float32Array.from({ length: 3 * 9 * 14 }, random);
  const input: Tensor = { data, shape: [1, 3, 9, 14] };
  const folded = foldScale2(tinySrvgg(), 'tiny');
  if (folded === null) throw new Error('the model was not recognised');
  const doubled = await run(folded, input);
  expect(doubled.shape).toEqual([1, 3, 18, 28]);
  expect(largestDifference(doubled.data, averageOfEach2x2(await run(tinySrvgg(), input)))).toBeLessThan(1e-6);
});

test('the folded file is smaller, without the weights of the x4 layer', () => {
  const folded = foldScale2(tinySrvgg(), 'tiny') ?? new Uint8Array();
  const names = decodeModel(folded, 'folded').graph.initializer.map(({ name }) => name);
  expect(names.sort()).toEqual(['b1', 'folded_bias', 'folded_kernel', 'folded_scales', 'slope', 'w1']);
});

test.each([
  ['no convolution at its end', repeatingModel(4)],
  ['another order of its pixels', withAttribute('DepthToSpace', 'mode', { s: Buffer.from('DCR') })],
  ['a smooth base', withAttribute('Resize', 'mode', { s: Buffer.from('linear') })],
  ['another factor', withAttribute('DepthToSpace', 'blocksize', { i: 2 })],
])('a model that does not end as SRVGG does is left alone: %s', (_, file) => {
  expect(foldScale2(file, 'other')).toBeNull();
});

function withAttribute(opType: string, name: string, value: { s?: Uint8Array; i?: number }): Uint8Array {
  return changedModel(tinySrvgg(), (model) => {
    const node = model.graph.node.map((each) => {
      if (each.opType !== opType) return each;
      const attribute = each.attribute?.map((old) => (old.name === name ? { ...old, ...value } : old)) ?? [];
      return { ...each, attribute };
    });
    return { ...model, graph: { ...model.graph, node } };
  });
}
