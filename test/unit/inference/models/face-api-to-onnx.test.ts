import { expect, onTestFinished, test } from 'vitest';
import { faceApiToOnnx } from '../../../../src/inference/models/face-api-to-onnx.ts';
import { createOnnxEngine } from '../../../../src/inference/onnx-engine.ts';
import { seededRandom } from '../../../../src/lib/seeded-random.ts';

interface Layer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly scale: number;
  readonly min: number;
}

const random = seededRandom(29);
const layers: Layer[] = [];

/** Weights between two limits. */
function add(name: string, shape: readonly number[], least: number, most: number): void {
  layers.push({ name, shape, scale: (most - least) / 255, min: least });
}

function addConvolution(name: string, [edge, inner, outer]: readonly [number, number, number]): void {
  // So that values neither vanish nor grow over 29 layers.
  const reach = Math.sqrt(3 / (edge * edge * inner));
  add(`${name}/conv/filters`, [edge, edge, inner, outer], -reach, reach);
  add(`${name}/conv/bias`, [outer], -0.1, 0.1);
  add(`${name}/scale/weights`, [outer], 0.5, 1.5);
  add(`${name}/scale/biases`, [outer], -0.1, 0.3);
}

const BLOCKS: readonly (readonly [name: string, inner: number, outer: number])[] = [
  ['conv32_1', 32, 32],
  ['conv32_2', 32, 32],
  ['conv32_3', 32, 32],
  ['conv64_down', 32, 64],
  ['conv64_1', 64, 64],
  ['conv64_2', 64, 64],
  ['conv64_3', 64, 64],
  ['conv128_down', 64, 128],
  ['conv128_1', 128, 128],
  ['conv128_2', 128, 128],
  ['conv256_down', 128, 256],
  ['conv256_1', 256, 256],
  ['conv256_2', 256, 256],
  ['conv256_down_out', 256, 256],
];
addConvolution('conv32_down', [7, 3, 32]);
for (const [name, inner, outer] of BLOCKS) {
  addConvolution(`${name}/conv1`, [3, inner, outer]);
  addConvolution(`${name}/conv2`, [3, outer, outer]);
}
add('fc', [256, 128], -0.1, 0.1);

const sizes = layers.map(({ shape }) => shape.reduce((product, edge) => product * edge, 1));
const BIN = Uint8Array.from({ length: sizes.reduce((sum, size) => sum + size, 0) }, () =>
  Math.floor(random() * 256),
);
const MANIFEST = JSON.stringify([
  {
    paths: ['tiny.bin'],
    weights: layers.map(({ name, shape, scale, min }) => ({
      name,
      shape,
      dtype: 'float32',
      quantization: { dtype: 'uint8', scale, min },
    })),
  },
]);
const numbers = new Map<string, Float64Array>();
for (let i = 0, at = 0; i < layers.length; at += sizes[i] ?? 0, i++) {
  const { name, scale, min } = layers[i] ?? { name: '', scale: 0, min: 0 };
  numbers.set(
    name,
    Float64Array.from(BIN.subarray(at, at + (sizes[i] ?? 0)), (byte) => byte * scale + min),
  );
}

/** An image in the order of TensorFlow.js: rows, columns, channels. */
interface Image {
  readonly edge: number;
  readonly channels: number;
  readonly values: Float64Array;
}

const of = (name: string) => numbers.get(name) ?? new Float64Array();

/** conv2d, bias and scale layer, in the order of face-api's convLayer.ts. */
function convolve(name: string, image: Image, kernel: number, stride: number, isRelu: boolean): Image {
  const before = stride === 1 ? 1 : 0;
  const edge = stride === 1 ? image.edge : Math.floor((image.edge - kernel) / 2) + 1;
  const [filters, bias] = [of(`${name}/conv/filters`), of(`${name}/conv/bias`)];
  const [weights, biases] = [of(`${name}/scale/weights`), of(`${name}/scale/biases`)];
  const channels = bias.length;
  const values = new Float64Array(edge * edge * channels);
  for (let y = 0; y < edge; y++) {
    for (let x = 0; x < edge; x++) {
      const sums = values.subarray((y * edge + x) * channels, (y * edge + x + 1) * channels);
      for (let j = 0; j < kernel; j++) {
        for (let i = 0; i < kernel; i++) {
          const [row, column] = [y * stride + j - before, x * stride + i - before];
          if (row < 0 || column < 0 || row >= image.edge || column >= image.edge) continue;
          for (let c = 0; c < image.channels; c++) {
            const value = image.values[(row * image.edge + column) * image.channels + c] ?? 0;
            const from = ((j * kernel + i) * image.channels + c) * channels;
            for (let o = 0; o < channels; o++) sums[o] = (sums[o] ?? 0) + value * (filters[from + o] ?? 0);
          }
        }
      }
      for (let o = 0; o < channels; o++) {
        const scaled = ((sums[o] ?? 0) + (bias[o] ?? 0)) * (weights[o] ?? 0) + (biases[o] ?? 0);
        sums[o] = isRelu ? Math.max(0, scaled) : scaled;
      }
    }
  }
  return { edge, channels, values };
}

function pool({ edge, channels, values }: Image, kernel: number, isMean: boolean): Image {
  const pooled = Math.floor((edge - kernel) / 2) + 1;
  const result = new Float64Array(pooled * pooled * channels);
  for (let i = 0; i < result.length; i++) {
    const [c, x, y] = [i % channels, Math.floor(i / channels) % pooled, Math.floor(i / channels / pooled)];
    const seen = Array.from({ length: kernel * kernel }, (_, k) => {
      const [row, column] = [y * 2 + Math.floor(k / kernel), x * 2 + (k % kernel)];
      return values[(row * edge + column) * channels + c] ?? 0;
    });
    result[i] = isMean ? seen.reduce((sum, value) => sum + value, 0) / seen.length : Math.max(...seen);
  }
  return { edge: pooled, channels, values: result };
}

/** The ReLU of the sum of two images; the smaller one is padded with zeros at the end. */
function join(a: Image, b: Image): Image {
  const [edge, channels] = [Math.max(a.edge, b.edge), Math.max(a.channels, b.channels)];
  const at = (image: Image, x: number, y: number, c: number) =>
    x < image.edge && y < image.edge && c < image.channels
      ? (image.values[(y * image.edge + x) * image.channels + c] ?? 0)
      : 0;
  const values = Float64Array.from({ length: edge * edge * channels }, (_, i) => {
    const [c, x, y] = [i % channels, Math.floor(i / channels) % edge, Math.floor(i / channels / edge)];
    return Math.max(0, at(a, x, y, c) + at(b, x, y, c));
  });
  return { edge, channels, values };
}

/** The layers in the order of face-api's FaceRecognitionNet.ts. */
function reference(pixels: Float64Array): number[] {
  const means = [122.782, 117.001, 104.298];
  const normalised = pixels.map((value, i) => (value - (means[i % 3] ?? 0)) / 255);
  let out = convolve('conv32_down', { edge: 150, channels: 3, values: normalised }, 7, 2, true);
  out = pool(out, 3, false);
  for (const [name] of BLOCKS) {
    const isDown = name.includes('down');
    const inside = convolve(`${name}/conv1`, out, 3, isDown ? 2 : 1, true);
    out = join(convolve(`${name}/conv2`, inside, 3, 1, false), isDown ? pool(out, 2, true) : out);
  }
  const fc = of('fc');
  return Array.from({ length: 128 }, (_, o) => {
    let sum = 0;
    for (let c = 0; c < 256; c++) {
      let mean = 0;
      for (let pixel = 0; pixel < out.edge ** 2; pixel++) mean += out.values[pixel * 256 + c] ?? 0;
      sum += (mean / out.edge ** 2) * (fc[c * 128 + o] ?? 0);
    }
    return sum;
  });
}

test(
  'the converted model agrees with a straightforward implementation of face-api’s source',
  { timeout: 60_000 },
  async () => {
    const pixels = Float64Array.from({ length: 150 * 150 * 3 }, () => Math.floor(random() * 256));
    const model = await createOnnxEngine('cpu').load(faceApiToOnnx(MANIFEST, BIN, 'tiny'), { threads: 1 });
    onTestFinished(() => model.dispose());
    const planes = Float32Array.from({ length: pixels.length }, (_, i) => {
      const [channel, pixel] = [Math.floor(i / 22_500), i % 22_500];
      return pixels[pixel * 3 + channel] ?? 0;
    });
    const [output] = await model.run({ data: planes, shape: [1, 3, 150, 150] });
    expect(output?.shape).toEqual([1, 128, 1, 1]);
    const wanted = reference(pixels);
    const largest = Math.max(...wanted.map(Math.abs));
    expect(largest).toBeGreaterThan(0.01);
    for (const [i, value] of wanted.entries())
      expect(Math.abs((output?.data[i] ?? NaN) - value)).toBeLessThan(1e-4 * largest);
  },
);

test('weights without quantisation are read', () => {
  const weights = JSON.parse(MANIFEST) as { weights: { quantization?: unknown }[] }[];
  const first = weights[0]?.weights[0];
  if (first === undefined) throw new TypeError('No weights.');
  delete first.quantization;
  const rest = BIN.subarray(sizes[0] ?? 0);
  const longer = Buffer.concat([new Uint8Array((sizes[0] ?? 0) * 4), rest]);
  expect(faceApiToOnnx(JSON.stringify(weights), longer, 'tiny').length).toBeGreaterThan(BIN.length);
});

test.each([
  ['text', 'no JSON', BIN, /weights manifest of tiny cannot be read: Unexpected token/],
  ['half precision', MANIFEST.replace('uint8', 'uint16'), BIN, /0\.weights\.0\.quantization\.dtype/],
  ['cut short', MANIFEST, BIN.subarray(9), 'are damaged'],
  ['too long', MANIFEST, Buffer.concat([BIN, new Uint8Array(1)]), 'are damaged'],
  [
    'another model',
    MANIFEST.replaceAll('conv64_2', 'other'),
    BIN,
    'has no 4-dimensional weights named conv64_2/conv1/conv/filters',
  ],
])('weights that cannot be used are rejected: %s', (_, manifest, bin, sentence) => {
  expect(() => faceApiToOnnx(manifest, bin, 'tiny')).toThrow(sentence);
});
