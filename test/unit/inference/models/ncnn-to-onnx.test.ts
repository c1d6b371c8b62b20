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

test('a deconvolution reads its kernel by output channel, and crops what exceeds its padding', async () => {
  // Two input and two output channels, a 2x1 kernel: the weight from channel i to channel o in row r is 100 o + 10 i + r.
  const kernels = [0, 1].flatMap((o) => [0, 1].flatMap((i) => [100 * o + 10 * i, 100 * o + 10 * i + 1]));
  const layers = [
    'Input in 0 1 data',
    'Convolution c 1 1 data x 0=2 1=1 6=6',
    'Deconvolution d 1 1 x out 0=2 1=1 11=2 3=1 13=2 5=1 6=8',
  ];
  const weights = bin(kernel([1, 0, 0, 0, 1, 0]), kernel(kernels), plain([0.5, 0.25]));
  const one: Tensor = { data: Float32Array.of(1, 2, 0), shape: [1, 3, 1, 1] };
  const { data, shape } = await run(param(...layers), weights, one);
  expect(shape).toEqual([1, 2, 2, 1]);
  expect([...data]).toEqual([20.5, 23.5, 320.25, 323.25]);
  const padded = layers.map((line) => `${line}${line.startsWith('Deconvolution') ? ' 14=1 16=0' : ''}`);
  expect([...(await run(param(...padded), weights, one)).data]).toEqual([23.5, 323.25]);
});

test('channels are weighted by the mean of the image, through inner products with ReLU and sigmoid', async () => {
  const text = param(
    'Input in 0 1 data',
    'Split s 1 2 data a b',
    'Pooling mean 1 1 a m 0=1 4=1',
    'InnerProduct first 1 1 m n 0=1 1=1 2=3 9=1',
    'InnerProduct second 1 1 n o 0=3 1=1 2=3 9=4',
    'BinaryOp product 2 1 b o out 0=2',
  );
  // The means are 3.5, 35 and 350; blue counts negative, so that ReLU gives 0 and the sigmoid sees its bias alone.
  const weights = bin(kernel([0, 0, -1]), plain([0]), kernel([1, 1, 1]), plain([0, 100, -100]));
  const { data } = await run(text, weights, IMAGE);
  const factors = [0.5, 1, 0];
  [...IMAGE.data].forEach((value, i) =>
    expect(data[i]).toBeCloseTo(value * (factors[Math.floor(i / 6)] ?? NaN), 4),
  );
});

test('rows and columns are cropped at both ends', async () => {
  const crop = 'Crop k 1 1 data out -23309=2,0,1 -23310=2,-1,-1 -23311=2,-2,-1';
  const { data, shape } = await run(param('Input in 0 1 data', crop), bin(), IMAGE);
  expect(shape).toEqual([1, 3, 1, 1]);
  expect([...data]).toEqual([2, 20, 200]);
});

test('a model without padding gets a frame, and images of any size keep theirs', async () => {
  // The pixel to the upper left of each one: what lies outside is a reflection.
  const shifted = [0, 1, 2].flatMap((o) =>
    [0, 1, 2].flatMap((i) => zeros(9).map((_, at) => (o === i && at === 0 ? 1 : 0))),
  );
  const text = param(
    'Input in 0 1 data',
    'Convolution c 1 1 data x 0=3 1=3 6=81',
    // Each pixel becomes four, and an odd row or column would be lost.
    'Convolution h 1 1 x y 0=12 1=2 3=2 6=144',
    'PixelShuffle p 1 1 y out 0=2',
  );
  const halved = [0, 1, 2].flatMap((o) =>
    [0, 1, 2, 3].flatMap((q) =>
      [0, 1, 2].flatMap((i) => zeros(4).map((_, at) => (o === i && at === q ? 1 : 0))),
    ),
  );
  const weights = bin(kernel(shifted), kernel(halved));
  const frame = { scale: 1, padding: 1, multiple: 2, addsInput: false };
  const runFramed = async (input: Tensor, addsInput = false): Promise<Tensor> => {
    const onnx = ncnnToOnnx(text, weights, 'test', { ...frame, addsInput });
    const model = await createOnnxEngine('cpu').load(onnx, { threads: 1 });
    onTestFinished(() => model.dispose());
    return onlyImage(await model.run(input));
  };
  const large: Tensor = { data: Float32Array.from({ length: 60 }, (_, i) => i), shape: [1, 3, 4, 5] };
  const { data, shape } = await runFramed(large);
  expect(shape).toEqual([1, 3, 4, 5]);
  expect([...data.slice(0, 10)]).toEqual([6, 5, 6, 7, 8, 1, 0, 1, 2, 3]);
  const added = await runFramed(large, true);
  expect([...added.data.slice(0, 5)]).toEqual([6, 6, 8, 10, 12]);
  // Smaller than its padding needs: the last row is repeated before it is mirrored.
  expect((await runFramed({ data: new Float32Array(6), shape: [1, 3, 1, 2] })).shape).toEqual([1, 3, 1, 2]);
});

test('equal files give equal bytes', () => {
  const text = param('Input in 0 1 data', 'Convolution c 1 1 data out 0=3 1=1 6=9');
  const weights = bin(kernel([1, 2, 3, 4, 5, 6, 7, 8, 9]));
  expect(Buffer.from(ncnnToOnnx(text, weights, 'x')).equals(ncnnToOnnx(text, weights, 'x'))).toBe(true);
});

test.each([
  ['a strange layer', 'Dropout d 1 1 data out', 'ncnn layer Dropout d'],
  ['a strange activation', 'Convolution c 1 1 data out 0=3 1=1 6=9 9=5', 'activation type 5'],
  ['padding by a rule', 'Convolution c 1 1 data out 0=3 1=1 6=9 4=-233', 'does not have explicit padding'],
  ['an impossible kernel', 'Convolution c 1 1 data out 0=3 1=3 6=10', 'impossible weight count of 10'],
  ['a quotient', 'BinaryOp o 2 1 data data out 0=3', 'neither a sum nor a product'],
  ['pooling of parts', 'Pooling p 1 1 data out 0=1 1=2', 'not the mean of each channel'],
  ['a crop by offsets', 'Crop k 1 1 data out 0=1 1=1', 'does not name its starts, ends and axes'],
  ['a deconvolution of a fixed size', 'Deconvolution d 1 1 data out 0=3 1=2 6=36 20=9', 'size of its output'],
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
