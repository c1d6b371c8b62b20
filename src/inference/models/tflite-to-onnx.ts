import { ModelError } from '../../domain/errors.ts';
import { halfToFloat } from './ncnn-weights.ts';
import { OnnxGraphBuilder } from './onnx-graph-builder.ts';
import { encodeModel } from './onnx-model.ts';
import { decodeTflite, type FlatTable, type TfliteModel, type TfliteOperator } from './tflite-model.ts';

/** TensorFlow Lite's padding SAME of convolutions and pooling, which puts an odd pixel at the end. */
const SAME = 0;
/** Field of the fused activation in the options of each operator. */
const ACTIVATION_FIELD: Readonly<Record<string, number>> = {
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 4,
  MAX_POOL_2D: 5,
  ADD: 0,
};

/** An operator with the ONNX names of its computed tensors. */
interface Emission {
  readonly operator: TfliteOperator;
  readonly options: FlatTable | null;
  /** Name of the first input. */
  readonly input: string;
  readonly output: string;
}

/**
 * Converts a convolutional TensorFlow Lite model with one image as input to ONNX, and its images from NHWC to NCHW. The
 * reshapes at the end, which flatten rows and columns, are dropped, and the outputs are concatenated along their channels
 * in the order of the file. The input may have any size that is a multiple of the strides.
 *
 * @throws ModelError MODEL_UNREADABLE, MODEL_UNSUITABLE
 */
export function tfliteToOnnx(file: Uint8Array, what: string): Uint8Array {
  return new Converter(decodeTflite(file, what), what).convert();
}

class Converter {
  readonly #model: TfliteModel;
  readonly #what: string;
  readonly #graph = new OnnxGraphBuilder();
  /** The ONNX name of each computed tensor. */
  readonly #names = new Map<number, string>();
  /** The half-precision source of each tensor that a DEQUANTIZE operator computes. */
  readonly #halves = new Map<number, number>();
  /** One emitter per operator. DEQUANTIZE and RESHAPE only rename tensors and need none. */
  readonly #emitters: Readonly<Record<string, (emission: Emission) => void>> = {
    RELU: ({ input, output }) => this.#graph.node('Relu', [input], output),
    ADD: ({ operator, input, output }) =>
      this.#graph.node('Add', [input, this.#name(operator.inputs[1] ?? -1)], output),
    CONV_2D: (emission) => this.#emitConvolution(emission, false),
    DEPTHWISE_CONV_2D: (emission) => this.#emitConvolution(emission, true),
    MAX_POOL_2D: (emission) => this.#emitMaxPool(emission),
    PAD: (emission) => this.#emitPad(emission),
    RESIZE_BILINEAR: (emission) => this.#emitResize(emission),
  };

  constructor(model: TfliteModel, what: string) {
    this.#model = model;
    this.#what = what;
  }

  convert(): Uint8Array {
    const { inputs, outputs, operators } = this.#model;
    const [input = -1, another] = inputs;
    const [, , , channels = 0] = this.#shape(input);
    if (another !== undefined || channels !== 3) throw this.#unsuitable('inputs other than one image');
    this.#names.set(input, 'input');
    for (const operator of operators) this.#convert(operator);
    const names = outputs.map((output) => this.#name(output));
    this.#graph.node('Concat', names, 'output', { axis: 1 });
    const outChannels = outputs.reduce((sum, output) => sum + (this.#shape(output).at(-1) ?? 0), 0);
    const output = ['batch', outChannels, 'output_height', 'output_width'];
    return encodeModel(this.#graph.build(this.#what, undefined, output));
  }

  #convert(operator: TfliteOperator): void {
    const { type, options } = operator;
    const [[input = -1], [output = -1]] = [operator.inputs, operator.outputs];
    if (type === 'DEQUANTIZE') {
      this.#halves.set(output, input);
      return;
    }
    if (type === 'RESHAPE') {
      if (this.#shape(input).at(-1) !== this.#shape(output).at(-1))
        throw this.#unsuitable('a RESHAPE that changes the number of channels');
      this.#names.set(output, this.#name(input));
      return;
    }
    const emit = this.#emitters[type];
    if (emit === undefined) throw this.#unsuitable(`the operator ${type}`);
    const activation = ACTIVATION_FIELD[type];
    if (activation !== undefined && (options?.byte(activation) ?? 0) !== 0)
      throw this.#unsuitable(`a ${type} with a fused activation`);
    emit({ operator, options, input: this.#name(input), output: `t${output}` });
    this.#names.set(output, `t${output}`);
  }

  #emitConvolution({ operator, options, input, output }: Emission, isDepthwise: boolean): void {
    const [image = -1, kernel = -1, bias = -1] = operator.inputs;
    const [outer = 1, height = 1, width = 1, inner = 1] = this.#shape(kernel);
    const [rowDilation, columnDilation] = isDepthwise ? ([6, 5] as const) : ([5, 4] as const);
    if (options?.int(rowDilation, 1) !== 1 || options.int(columnDilation, 1) !== 1)
      throw this.#unsuitable(`a ${operator.type} with dilation`);
    // CONV_2D: [out, height, width, in]; DEPTHWISE_CONV_2D: [1, height, width, channels].
    const [out, depth] = isDepthwise ? [inner, 1] : [outer, inner];
    if (isDepthwise && this.#shape(image).at(-1) !== out)
      throw this.#unsuitable('a DEPTHWISE_CONV_2D with several outputs per channel');
    const weights = this.#weights(kernel);
    const ordered = new Float32Array(weights.length);
    for (let o = 0, at = 0; o < out; o++)
      for (let c = 0; c < depth; c++)
        for (let pixel = 0; pixel < height * width; pixel++)
          ordered[at++] =
            weights[isDepthwise ? pixel * out + o : (o * height * width + pixel) * depth + c] ?? 0;
    const constants = [
      this.#graph.constant(`${output}_kernel`, [out, depth, height, width], ordered),
      this.#graph.constant(`${output}_bias`, [out], this.#weights(bias)),
    ];
    this.#graph.node('Conv', [input, ...constants], output, {
      kernel_shape: [height, width],
      group: isDepthwise ? out : 1,
      ...this.#window(options, image, [height, width]),
    });
  }

  #emitMaxPool({ operator, options, input, output }: Emission): void {
    const kernel = [options?.int(4) ?? 1, options?.int(3) ?? 1] as const;
    const window = this.#window(options, operator.inputs[0] ?? -1, kernel);
    this.#graph.node('MaxPool', [input], output, { kernel_shape: kernel, ...window });
  }

  /** Strides and explicit padding; that of SAME is computed for the input's size. */
  #window(options: FlatTable | null, image: number, kernel: readonly [number, number]) {
    const strides = [options?.int(2) ?? 1, options?.int(1) ?? 1] as const;
    const [, height = 1, width = 1] = this.#shape(image);
    const total = [height, width].map((size, i) => {
      const stride = strides[i] ?? 1;
      const rest = (Math.ceil(size / stride) - 1) * stride + (kernel[i] ?? 1) - size;
      return options?.byte(0) === SAME ? Math.max(0, rest) : 0;
    });
    const before = total.map((pixels) => Math.floor(pixels / 2));
    return { strides, pads: [...before, ...total.map((pixels, i) => pixels - (before[i] ?? 0))] };
  }

  /** Zero padding. TensorFlow Lite stores a pair of numbers per dimension, ONNX first all starts and then all ends. */
  #emitPad({ operator, input, output }: Emission): void {
    const data = this.#model.tensors[operator.inputs[1] ?? -1]?.data ?? new Uint8Array(0);
    const pairs = [...new Int32Array(Uint8Array.from(data).buffer)];
    if (pairs.length !== 8) throw this.#unsuitable('a PAD of something other than an image');
    const inOrder = [0, 3, 1, 2];
    const pads = [0, 1].flatMap((end) => inOrder.map((dimension) => pairs[2 * dimension + end] ?? 0));
    this.#graph.node('Pad', [input, this.#graph.integers(`${output}_pads`, pads)], output, {
      mode: 'constant',
    });
  }

  #emitResize({ operator, options, input, output }: Emission): void {
    if (options?.byte(3) !== 1) throw this.#unsuitable('a RESIZE_BILINEAR without half-pixel centres');
    const [from, to] = [this.#shape(operator.inputs[0] ?? -1), this.#shape(operator.outputs[0] ?? -1)];
    const factors = [1, 2].map((dimension) => (to[dimension] ?? 1) / (from[dimension] ?? 1));
    const scales = this.#graph.constant(`${output}_scales`, [4], Float32Array.of(1, 1, ...factors));
    this.#graph.node('Resize', [input, '', scales], output, {
      mode: 'linear',
      coordinate_transformation_mode: 'half_pixel',
    });
  }

  #name(tensor: number): string {
    const name = this.#names.get(tensor);
    if (name === undefined) throw this.#unsuitable(`a tensor ${tensor} that is read before it is computed`);
    return name;
  }

  #shape(tensor: number): readonly number[] {
    return this.#model.tensors[tensor]?.shape ?? [];
  }

  #weights(tensor: number): Float32Array {
    const data = this.#model.tensors[this.#halves.get(tensor) ?? tensor];
    if (data?.type === 0) return new Float32Array(Uint8Array.from(data.data).buffer);
    if (data?.type !== 1) throw this.#unsuitable('weights that are neither float32 nor float16');
    return Float32Array.from(new Uint16Array(Uint8Array.from(data.data).buffer), halfToFloat);
  }

  #unsuitable(what: string): ModelError {
    return new ModelError('MODEL_UNSUITABLE', `${this.#what} has ${what}, which cannot be converted.`);
  }
}
