import { expect, onTestFinished, test } from 'vitest';
import type { Tensor } from '../../../../src/inference/engine.ts';
import { ncnnToOnnx } from '../../../../src/inference/models/ncnn-to-onnx.ts';
import { createOnnxEngine } from '../../../../src/inference/onnx-engine.ts';
import { onlyImage } from '../../../../src/inference/only-image.ts';

/** A `.bin` file in single precision: kernels are tagged, biases and slopes are not. */
function bin(...arrays: { tagged: boolean; values: number[] }[]): Uint8Array {
  const parts = arrays.flatMap(({ tagged, values }) => [
    ...(tagged ? [new Uint8Array(4)] : []),
    new Uint8Array(Float32Array.from(values).buffer),
  ]);
  return Buffer.concat(parts);
}
const kernel = (values: number[]) => ({ tagged: true, values });
const plain = (values: number[]) => ({ tagged: false, values });

function param(...layers: string[]): string {
  return ['7767517', `${layers.length} 99`, ...layers].join('\n');
}

async function run(text: string, weights: Uint8Array, input: Tensor): Promise<Tensor> {
  const model = await createOnnxEngine('cpu').load(ncnnToOnnx(text, weights, 'test'), { threads: 1 });
  onTestFinished(() => model.dispose());
  return onlyImage(await model.run(input));
}

/** Red 1…, green 10…, blue 100…, so that all values differ. */
const IMAGE: Tensor = {
  data: Float32Array.of(1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60, 100, 200, 300, 400, 500, 600),
  shape: [1, 3, 2, 3],
};

const zeros = (count: number) => new Array<number>(count).fill(0);

test('a convolution reads its neighbours in the right order, pads with zeros and adds its bias', async () => {
  // One output channel: the pixel to the upper left of green, plus 0.5.
  const weights = zeros(27);
  weights[9] = 1;
  const { data, shape } = await run(
    param('Input in 0 1 data', 'Convolution c 1 1 data out 0=1 1=3 4=1 5=1 6=27'),
    bin(kernel(weights), plain([0.5])),
    IMAGE,
  );
  expect(shape).toEqual([1, 1, 2, 3]);
  expect([...data]).toEqual([0.5, 0.5, 0.5, 0.5, 10.5, 20.5]);
});

test('activations: fused ReLU and leaky ReLU, PReLU with a slope per channel', async () => {
  const negate = [-1, 0, 0, 0, 1, 0, 0, 0, -1];
  const convolution = (activation: string) =>
    param('Input in 0 1 data', `Convolution c 1 1 data out 0=3 1=1 6=9 ${activation}`);
  const one: Tensor = { data: Float32Array.of(2, 4, 8), shape: [1, 3, 1, 1] };
  expect([...(await run(convolution('9=1'), bin(kernel(negate)), one)).data]).toEqual([0, 4, 0]);
  expect([...(await run(convolution('9=2 -23310=1,0.5'), bin(kernel(negate)), one)).data]).toEqual([
    -1, 4, -4,
  ]);
  const prelu = param('Input in 0 1 data', 'Convolution c 1 1 data x 0=3 1=1 6=9', 'PReLU p 1 1 x out 0=3');
  const sloped = await run(prelu, bin(kernel(negate), plain([0.25, 7, 0.125])), one);
  expect([...sloped.data]).toEqual([-0.5, 4, -1]);
});

test('an image that is split, concatenated, weighted and summed', async () => {
  const text = param(
    'Input in 0 1 data',
    'Split s 1 4 data a b c d',
    'Concat j 2 1 a b joined',
    'Convolution k 1 1 joined summed 0=3 1=1 6=18',
    'Eltwise e 2 1 summed c scaled 0=1 -23301=2,0.25,1.0',
    'BinaryOp o 2 1 scaled d out',
  );
  // Output colour i is colour i of the first plus colour i of the second image.
  const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const rows = [0, 3, 6].flatMap((at) => [...identity.slice(at, at + 3), ...identity.slice(at, at + 3)]);
  const { data } = await run(text, bin(kernel(rows)), IMAGE);
  expect([...data]).toEqual([...IMAGE.data].map((value) => value * 2.5));
});

test('pixel shuffle in both orders, and nearest-neighbour scaling', async () => {
  // Twelve channels with the value of their number.
  const numbered = bin(kernel(zeros(36)), plain([...Array(12).keys()]));
  const shuffle = (mode: string) =>
    param(
      'Input in 0 1 data',
      'Convolution c 1 1 data x 0=12 1=1 5=1 6=36',
      `PixelShuffle p 1 1 x out 0=2 ${mode}`,
    );
  const one: Tensor = { data: new Float32Array(3), shape: [1, 3, 1, 1] };
  const crd = await run(shuffle(''), numbered, one);
  expect(crd.shape).toEqual([1, 3, 2, 2]);
  expect([...crd.data]).toEqual([...Array(12).keys()]);
  const dcr = await run(shuffle('1=1'), numbered, one);
  expect([...dcr.data]).toEqual([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
  const upscaled = await run(param('Input in 0 1 data', 'Interp r 1 1 data out 0=1 1=2.0 2=3.0'), bin(), {
    data: Float32Array.of(1, 2, 3, 4, 5, 6),
    shape: [1, 3, 1, 2],
  });
  expect(upscaled.shape).toEqual([1, 3, 2, 6]);
  expect([...upscaled.data.slice(0, 12)]).toEqual([1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2]);
});

test('equal files give equal bytes', () => {
  const text = param('Input in 0 1 data', 'Convolution c 1 1 data out 0=3 1=1 6=9');
  const weights = bin(kernel([1, 2, 3, 4, 5, 6, 7, 8, 9]));
  expect(Buffer.from(ncnnToOnnx(text, weights, 'x')).equals(ncnnToOnnx(text, weights, 'x'))).toBe(true);
});

test.each([
  ['a strange layer', 'Deconvolution d 1 1 data out 0=3', 'ncnn layer Deconvolution d'],
  ['a strange activation', 'Convolution c 1 1 data out 0=3 1=1 6=9 9=5', 'activation type 5'],
  ['padding by a rule', 'Convolution c 1 1 data out 0=3 1=1 6=9 4=-233', 'does not have explicit padding'],
  ['an impossible kernel', 'Convolution c 1 1 data out 0=3 1=3 6=10', 'impossible weight count of 10'],
  ['a product', 'Eltwise e 2 1 data data out 0=0', 'not a sum of two inputs'],
  ['a concatenation of rows', 'Concat j 2 1 data data out 0=1', 'does not concatenate channels'],
  ['smooth upscaling', 'Interp r 1 1 data out 0=2 1=2.0 2=2.0', 'not nearest-neighbour scaling'],
  ['a blob from nowhere', 'BinaryOp o 2 1 data nothing out', 'reads the blob nothing'],
  ['two outputs', 'Split s 1 2 data a b', 'exactly one output'],
  ['bytes left over', 'ReLU r 1 1 data out', '40 bytes after the weights'],
])('an unsupported layer is rejected by name: %s', (_, layer, sentence) => {
  const weights = bin(kernel(zeros(9)));
  expect(() => ncnnToOnnx(param('Input in 0 1 data', layer), weights, 'x')).toThrow(sentence);
});
