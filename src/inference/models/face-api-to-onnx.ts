import { z } from 'zod';
import { ModelError, toError } from '../../domain/errors.ts';
import { OnnxGraphBuilder } from './onnx-graph-builder.ts';
import { encodeModel } from './onnx-model.ts';

/** The relevant part of a TensorFlow.js weights manifest, which describes the content of the .bin file in order. */
const manifestSchema = z.array(
  z.object({
    weights: z.array(
      z.object({
        name: z.string(),
        shape: z.array(z.int().positive()),
        dtype: z.literal('float32'),
        /** Absent if the weights are stored as float32. */
        quantization: z.object({ dtype: z.literal('uint8'), scale: z.number(), min: z.number() }).optional(),
      }),
    ),
  }),
);

interface Weights {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Edge of the input image. */
const EDGE = 150;
/** Normalisation of the input: the means of red, green and blue are subtracted, and the result is divided. */
const MEANS = [122.782, 117.001, 104.298] as const;
const DIVISOR = 255;
/** The residual blocks after the first convolution, and whether they halve the image. */
const BLOCKS = [
  ...['conv32_1', 'conv32_2', 'conv32_3'].map((name) => ({ name, halves: false })),
  { name: 'conv64_down', halves: true },
  ...['conv64_1', 'conv64_2', 'conv64_3'].map((name) => ({ name, halves: false })),
  { name: 'conv128_down', halves: true },
  ...['conv128_1', 'conv128_2'].map((name) => ({ name, halves: false })),
  { name: 'conv256_down', halves: true },
  ...['conv256_1', 'conv256_2'].map((name) => ({ name, halves: false })),
  { name: 'conv256_down_out', halves: true },
] as const;

/**
 * Converts face-api's face_recognition_model, dlib's residual model of 29 layers, to ONNX. Input: [1, 3, 150, 150], red,
 * green and blue in 0..255. Output: [1, 128, 1, 1]. The scale layers, the means and the divisor are folded into the
 * convolutions.
 *
 * @param manifest text of the weights manifest
 * @param bin the weights
 * @throws ModelError MODEL_UNREADABLE, MODEL_UNSUITABLE
 */
export function faceApiToOnnx(manifest: string, bin: Uint8Array, name: string): Uint8Array {
  return new Converter(readWeights(manifest, bin, name), name).convert();
}

function readWeights(manifest: string, bin: Uint8Array, what: string): Map<string, Weights> {
  const weights = new Map<string, Weights>();
  let at = 0;
  for (const { name, shape, quantization } of parseManifest(manifest, what).flatMap(
    (group) => group.weights,
  )) {
    const length = shape.reduce((product, edge) => product * edge, 1);
    const end = at + length * (quantization === undefined ? 4 : 1);
    const stored = Uint8Array.from(bin.subarray(at, end));
    at = end;
    if (at > bin.length) break;
    const values =
      quantization === undefined
        ? new Float32Array(stored.buffer)
        : Float32Array.from(stored, (byte) => byte * quantization.scale + quantization.min);
    weights.set(name, { shape, values });
  }
  if (at === bin.length) return weights;
  const reason = 'the .bin file does not have the length given in the manifest';
  throw new ModelError('MODEL_UNREADABLE', `The weights of ${what} are damaged: ${reason}.`);
}

function parseManifest(text: string, what: string): z.infer<typeof manifestSchema> {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    const issue = cause instanceof z.ZodError ? cause.issues[0] : null;
    const reason = issue ? `${issue.path.join('.')}: ${issue.message}` : toError(cause).message;
    const message = `The weights manifest of ${what} cannot be read: ${reason}.`;
    throw new ModelError('MODEL_UNREADABLE', message, { cause });
  }
}

class Converter {
  readonly #weights: ReadonlyMap<string, Weights>;
  readonly #what: string;
  readonly #graph = new OnnxGraphBuilder();

  constructor(weights: ReadonlyMap<string, Weights>, what: string) {
    this.#weights = weights;
    this.#what = what;
  }

  convert(): Uint8Array {
    const graph = this.#graph;
    this.#convolve('conv32_down', 'input', 'first_sum', 2, MEANS);
    graph.node('Relu', ['first_sum'], 'first');
    graph.node('MaxPool', ['first'], 'pooled', { kernel_shape: [3, 3], strides: [2, 2] });
    // After the first 7x7 convolution and 3x3 pooling, both without padding.
    let edge = halved(halved(EDGE, 7), 3);
    let [value, channels] = ['pooled', 32];
    for (const { name, halves } of BLOCKS) {
      this.#convolve(`${name}/conv1`, value, `${name}_1_sum`, halves ? 2 : 1);
      graph.node('Relu', [`${name}_1_sum`], `${name}_1`);
      const outChannels = this.#convolve(`${name}/conv2`, `${name}_1`, `${name}_2`, 1);
      let [longWay, shortCut] = [`${name}_2`, value];
      if (halves) {
        const [convolved, averaged] = [halved(edge, 3), Math.floor(edge / 2)];
        graph.node('AveragePool', [value], `${name}_mean`, { kernel_shape: [2, 2], strides: [2, 2] });
        shortCut = this.#pad(`${name}_mean`, outChannels - channels, 0);
        longWay = this.#pad(longWay, 0, averaged - convolved);
        edge = averaged;
      }
      graph.node('Add', [longWay, shortCut], `${name}_sum`);
      graph.node('Relu', [`${name}_sum`], name);
      [value, channels] = [name, outChannels];
    }
    graph.node('GlobalAveragePool', [value], 'means');
    const { shape, values } = this.#read('fc', 2);
    const [inner = 0, outer = 0] = shape;
    const kernel = Float32Array.from(
      values,
      (_, i) => values[(i % inner) * outer + Math.floor(i / inner)] ?? 0,
    );
    graph.node('Conv', ['means', graph.constant('fc', [outer, inner, 1, 1], kernel)], 'output', {
      kernel_shape: [1, 1],
    });
    return encodeModel(graph.build(this.#what, [1, 3, EDGE, EDGE], [1, outer, 1, 1]));
  }

  /** Adds a convolution with its scale layer, padded if the stride is 1. Returns the number of output channels. */
  #convolve(name: string, input: string, output: string, stride: 1 | 2, means?: readonly number[]): number {
    const { shape, values } = this.#read(`${name}/conv/filters`, 4);
    const [height = 0, width = 0, inner = 0, outer = 0] = shape;
    const bias = this.#read(`${name}/conv/bias`, 1).values;
    const scale = this.#read(`${name}/scale/weights`, 1).values;
    const offset = this.#read(`${name}/scale/biases`, 1).values;
    const kernel = new Float32Array(values.length);
    const sums = Float64Array.from(bias, (value, o) => value * (scale[o] ?? 0) + (offset[o] ?? 0));
    const divisor = means === undefined ? 1 : DIVISOR;
    // From [height, width, in, out] to [out, in, height, width].
    for (let pixel = 0, from = 0; pixel < height * width; pixel++) {
      for (let i = 0; i < inner; i++) {
        for (let o = 0; o < outer; o++, from++) {
          const weight = ((values[from] ?? 0) * (scale[o] ?? 0)) / divisor;
          kernel[(o * inner + i) * height * width + pixel] = weight;
          sums[o] = (sums[o] ?? 0) - weight * (means?.[i] ?? 0);
        }
      }
    }
    const operands = [
      input,
      this.#graph.constant(`${name}/kernel`, [outer, inner, height, width], kernel),
      this.#graph.constant(`${name}/bias`, [outer], Float32Array.from(sums)),
    ];
    const around = stride === 1 ? 1 : 0;
    this.#graph.node('Conv', operands, output, {
      kernel_shape: [height, width],
      pads: [around, around, around, around],
      strides: [stride, stride],
    });
    return outer;
  }

  /** Pads with channels of zeros, and with rows and columns of zeros at the end. */
  #pad(value: string, channels: number, edge: number): string {
    if (channels === 0 && edge === 0) return value;
    const pads = this.#graph.integers(`${value}_pads`, [0, 0, 0, 0, 0, channels, edge, edge]);
    this.#graph.node('Pad', [value, pads], `${value}_padded`, { mode: 'constant' });
    return `${value}_padded`;
  }

  #read(name: string, dimensions: number): Weights {
    const found = this.#weights.get(name);
    if (found?.shape.length === dimensions) return found;
    const reason = `has no ${dimensions}-dimensional weights named ${name}`;
    throw new ModelError('MODEL_UNSUITABLE', `${this.#what} cannot be converted: it ${reason}.`);
  }
}

/** Edge of the image after a convolution or pooling of stride 2 without padding. */
function halved(edge: number, kernel: number): number {
  return Math.floor((edge - kernel) / 2) + 1;
}
