import { expect, onTestFinished, test } from 'vitest';
import type { ModelOutput, Tensor } from '../../../../src/inference/engine.ts';
import { tfliteToOnnx } from '../../../../src/inference/models/tflite-to-onnx.ts';
import { createOnnxEngine } from '../../../../src/inference/onnx-engine.ts';
import { onlyImage } from '../../../../src/inference/only-image.ts';
import { tinyTflite, type Table, type TinyOperator, type TinyTensor } from '../../../helpers/tiny-tflite.ts';

const [ADD, CONV, DEPTHWISE, DEQUANTIZE, MAX_POOL, RELU, RESHAPE, RESIZE, PAD] = [
  0, 3, 4, 6, 17, 19, 22, 23, 34,
];
const [SAME, VALID] = [0, 1];

/** An image of `height` x `width` whose three channels are 0, 1, 2 … ; 100, 101 … ; 200, 201 … */
function imageOf(height: number, width: number): Tensor {
  const plane = height * width;
  const data = Float32Array.from({ length: 3 * plane }, (_, i) => Math.floor(i / plane) * 100 + (i % plane));
  return { data, shape: [1, 3, height, width] };
}

async function run(file: Uint8Array, input: Tensor): Promise<Tensor> {
  const model = await createOnnxEngine('cpu').load(tfliteToOnnx(file, 'tiny'), { threads: 1 });
  onTestFinished(() => model.dispose());
  const outputs: readonly ModelOutput[] = await model.run(input);
  return onlyImage(outputs);
}

/** A model of one operator on an image; tensor 0 is the image, 1 the result, then the constants. */
function oneOperator(
  code: number,
  [input, output]: readonly [readonly number[], readonly number[]],
  constants: readonly TinyTensor[] = [],
  options: Table = [],
): Uint8Array {
  const tensors = [{ shape: input }, { shape: output }, ...constants];
  const inputs = [0, ...constants.map((_, i) => i + 2)];
  return tinyTflite(tensors, [{ code, inputs, outputs: [1], options }], [0], [1]);
}

const floats = (shape: readonly number[], values: readonly number[]): TinyTensor => ({
  shape,
  data: Float32Array.from(values),
});

test('a convolution: kernels are reordered from [out, row, column, in] to [out, in, row, column]', async () => {
  // Two outputs: red right of the pixel plus 1; ten times green below it.
  const kernel = new Array<number>(2 * 9 * 3).fill(0);
  kernel[(0 * 9 + 5) * 3 + 0] = 1;
  kernel[(1 * 9 + 7) * 3 + 1] = 10;
  const constants = [floats([2, 3, 3, 3], kernel), floats([2], [1, 0])];
  const shapes = [
    [1, 2, 3, 3],
    [1, 2, 3, 2],
  ] as const;
  const options = [{ byte: SAME }, { int: 1 }, { int: 1 }];
  const { data, shape } = await run(oneOperator(CONV, shapes, constants, options), imageOf(2, 3));
  expect(shape).toEqual([1, 2, 2, 3]);
  expect([...data]).toEqual([2, 3, 1, 5, 6, 1, 1030, 1040, 1050, 0, 0, 0]);
});

test('SAME with stride 2 pads the odd row and column at the end, VALID does not pad', async () => {
  const kernel = new Array<number>(9 * 3).fill(0);
  for (let pixel = 0; pixel < 9; pixel++) kernel[pixel * 3] = 1;
  const constants = [floats([1, 3, 3, 3], kernel), floats([1], [0])];
  const strides = [{ int: 2 }, { int: 2 }];
  const shapes = [
    [1, 4, 4, 3],
    [1, 2, 2, 1],
  ] as const;
  const same = oneOperator(CONV, shapes, constants, [{ byte: SAME }, ...strides]);
  // Red is 0..15 in rows of 4; the first sum is of the rows and columns 0 to 2.
  expect([...(await run(same, imageOf(4, 4))).data]).toEqual([45, 39, 66, 50]);
  const valid = oneOperator(CONV, [shapes[0], [1, 1, 1, 1]], constants, [{ byte: VALID }, ...strides]);
  expect([...(await run(valid, imageOf(4, 4))).data]).toEqual([45]);
});

test('a depthwise convolution with half-precision weights', async () => {
  // Halves: 0x3c00 is 1, 0x4000 is 2, 0xc000 is -2.
  const tensors = [
    { shape: [1, 1, 2, 3] },
    { shape: [1, 1, 2, 3] },
    { shape: [1, 1, 1, 3], data: Uint16Array.of(0x3c00, 0x4000, 0xc000) },
    { shape: [1, 1, 1, 3] },
    floats([3], [0, 0, 7]),
  ];
  const options = [{ byte: SAME }, { int: 1 }, { int: 1 }, { int: 1 }];
  const operators: TinyOperator[] = [
    { code: DEQUANTIZE, inputs: [2], outputs: [3] },
    { code: DEPTHWISE, inputs: [0, 3, 4], outputs: [1], options },
  ];
  const { data } = await run(tinyTflite(tensors, operators, [0], [1]), imageOf(1, 2));
  expect([...data]).toEqual([0, 1, 200, 202, -393, -395]);
});

test('pooling, padding of channels, a sum, a ReLU and resizing', async () => {
  const pool = oneOperator(
    MAX_POOL,
    [
      [1, 2, 4, 3],
      [1, 1, 2, 3],
    ],
    [],
    [{ byte: VALID }, { int: 2 }, { int: 2 }, { int: 2 }, { int: 2 }],
  );
  expect([...(await run(pool, imageOf(2, 4))).data]).toEqual([5, 7, 105, 107, 205, 207]);

  const pads: TinyTensor = { shape: [4, 2], data: Int32Array.of(0, 0, 0, 0, 1, 0, 0, 2) };
  const padded = await run(
    oneOperator(
      PAD,
      [
        [1, 1, 1, 3],
        [1, 1, 2, 5],
      ],
      [pads],
    ),
    imageOf(1, 1),
  );
  expect({ shape: padded.shape, data: [...padded.data] }).toEqual({
    shape: [1, 5, 1, 2],
    data: [0, 0, 0, 100, 0, 200, 0, 0, 0, 0],
  });

  const tensors = [{ shape: [1, 1, 2, 3] }, { shape: [1, 1, 2, 3] }, { shape: [1, 1, 2, 3] }];
  const operators = [
    { code: ADD, inputs: [0, 0], outputs: [1], options: [] },
    { code: RELU, inputs: [1], outputs: [2] },
  ];
  const input: Tensor = { data: Float32Array.of(-1, 2, 3, -4, 5, 6), shape: [1, 3, 1, 2] };
  expect([...(await run(tinyTflite(tensors, operators, [0], [2]), input)).data]).toEqual([
    0, 4, 6, 0, 10, 12,
  ]);

  const upscale = oneOperator(
    RESIZE,
    [
      [1, 1, 2, 3],
      [1, 1, 4, 3],
    ],
    [],
    [null, null, { byte: 0 }, { byte: 1 }],
  );
  const red: Tensor = { data: Float32Array.of(0, 4, 0, 0, 0, 0), shape: [1, 3, 1, 2] };
  expect([...(await run(upscale, red)).data].slice(0, 4)).toEqual([0, 1, 3, 4]);
});

test('outputs are concatenated along their channels, and the final reshapes are dropped', async () => {
  const tensors = [
    { shape: [1, 1, 2, 3] },
    { shape: [1, 1, 2, 3] },
    { shape: [1, 2, 3] },
    { shape: [1, 2, 3] },
  ];
  const operators = [
    { code: RELU, inputs: [0], outputs: [1] },
    { code: RESHAPE, inputs: [0], outputs: [2] },
    { code: RESHAPE, inputs: [1], outputs: [3] },
  ];
  const { data, shape } = await run(tinyTflite(tensors, operators, [0], [3, 2]), {
    data: Float32Array.of(-1, 1, -2, 2, -3, 3),
    shape: [1, 3, 1, 2],
  });
  expect(shape).toEqual([1, 6, 1, 2]);
  expect([...data]).toEqual([0, 1, 0, 2, 0, 3, -1, 1, -2, 2, -3, 3]);
});

const plain = [
  [1, 2, 2, 3],
  [1, 2, 2, 3],
] as const;
const kernel3 = [floats([3, 1, 1, 3], new Array<number>(9).fill(1)), floats([3], [0, 0, 0])];
const conv = [{ byte: SAME }, { int: 1 }, { int: 1 }];

test.each([
  ['not of the kind', Buffer.from('this is not a model'), 'is not a TensorFlow Lite file'],
  ['truncated', oneOperator(RELU, plain).slice(0, 90), 'truncated or damaged'],
  ['an unknown operator', oneOperator(99, plain), 'an unknown operator (code 99)'],
  [
    'a fused activation',
    oneOperator(CONV, plain, kernel3, [...conv, { byte: 1 }]),
    'a fused activation, which',
  ],
  ['dilation', oneOperator(CONV, plain, kernel3, [...conv, { byte: 0 }, { int: 2 }]), 'with dilation'],
  ['other centres', oneOperator(RESIZE, plain, [], [null, null, { byte: 1 }]), 'half-pixel centres'],
  [
    'a reshape of channels',
    oneOperator(RESHAPE, [plain[0], [1, 12]]),
    'a RESHAPE that changes the number of channels',
  ],
  ['grey images', oneOperator(RELU, [[1, 2, 2, 1], plain[1]]), 'inputs other than one image'],
])('a file that cannot be converted is rejected: %s', (_, file, sentence) => {
  expect(() => tfliteToOnnx(file, 'tiny')).toThrow(sentence);
});
