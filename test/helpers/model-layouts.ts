import { OnnxGraphBuilder } from '../../src/inference/models/onnx-graph-builder.ts';
import { FLOAT16, type OnnxModel, type OnnxTensor } from '../../src/inference/models/onnx-model.ts';
import { floatToHalf } from '../../src/inference/plan/half.ts';
import { seededRandom } from '../../src/lib/seeded-random.ts';

const SAME_3X3 = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1], dilations: [1, 1] };
const NEAREST = { coordinate_transformation_mode: 'asymmetric', mode: 'nearest', nearest_mode: 'floor' };
const FEATURES = 4;

/** Builds tiny networks with the layouts of published ones. */
class Layout extends OnnxGraphBuilder {
  readonly #random = seededRandom(7);
  #names = 0;

  name(): string {
    return `value_${this.#names++}`;
  }

  add(
    opType: string,
    inputs: readonly string[],
    attributes: Parameters<OnnxGraphBuilder['node']>[3] = {},
  ): string {
    const output = this.name();
    this.node(opType, inputs, output, attributes);
    return output;
  }

  weights(dims: readonly number[], size = 0.3): string {
    const count = dims.reduce((product, each) => product * each, 1);
    const values = Float32Array.from({ length: count }, () => (this.#random() - 0.5) * size);
    return this.constant(this.name(), dims, values);
  }

  list(...values: readonly number[]): string {
    return this.integers(this.name(), values);
  }

  convolve(from: string, input: number, output: number, size?: number): string {
    const weights = [this.weights([output, input, 3, 3], size), this.weights([output], size)];
    return this.add('Conv', [from, ...weights], SAME_3X3);
  }

  /** The last convolution, whose channels become pixels, added to the enlarged image: so plain colours stay about the same. */
  enlarge(from: string, input: string, scale: number, colours = 3): void {
    const last = this.convolve(from, FEATURES, colours * scale ** 2, 0.06);
    const shuffled = this.add('DepthToSpace', [last], { blocksize: scale, mode: 'CRD' });
    const scales = this.constant(this.name(), [4], Float32Array.of(1, 1, scale, scale));
    this.node('Add', [shuffled, this.add('Resize', [input, '', scales], NEAREST)], 'output');
  }
}

/** Compact (SRVGG): convolutions with PReLU. */
export function compact(scale: number): OnnxModel {
  const graph = new Layout();
  const features = graph.convolve('input', 3, FEATURES);
  const active = graph.add('PRelu', [features, graph.weights([FEATURES, 1, 1])]);
  graph.enlarge(active, 'input', scale);
  return graph.build('compact');
}

/** SPAN: convolutions with SiLU, weighed by a sigmoid without parameters, and all features joined at the end. */
export function span(scale: number): OnnxModel {
  const graph = new Layout();
  const first = graph.convolve('input', 3, FEATURES);
  const inner = graph.convolve(first, FEATURES, FEATURES);
  const active = graph.add('Mul', [inner, graph.add('Sigmoid', [inner])]);
  const half = graph.constant('half', [], Float32Array.of(0.5));
  const attention = graph.add('Sub', [graph.add('Sigmoid', [active]), half]);
  const weighed = graph.add('Mul', [graph.add('Add', [active, first]), attention]);
  const joined = graph.add('Concat', [first, weighed], { axis: 1 });
  graph.enlarge(graph.convolve(joined, 2 * FEATURES, FEATURES), 'input', scale);
  return graph.build('span');
}

/** DAT and its like: attention within windows, exported without padding. */
export function windowAttention(scale: number, window: number): OnnxModel {
  const graph = new Layout();
  const features = graph.convolve('input', 3, FEATURES);
  const shape = graph.add('Shape', [features]);
  const edge = (axis: number): string => graph.add('Slice', [shape, graph.list(axis), graph.list(axis + 1)]);
  const [height, width] = [edge(2), edge(3)];
  const [one, channels, length] = [graph.list(1), graph.list(FEATURES), graph.list(window)];
  const [rows, columns] = [graph.add('Div', [height, length]), graph.add('Div', [width, length])];
  const join = (...parts: readonly string[]): string => graph.add('Concat', parts, { axis: 0 });
  const divided = graph.add('Reshape', [features, join(one, channels, rows, length, columns, length)]);
  const windows = graph.add('Transpose', [divided], { perm: [0, 2, 4, 3, 5, 1] });
  const tokens = graph.add('Reshape', [windows, graph.list(-1, window ** 2, FEATURES)]);
  const scores = graph.add('MatMul', [tokens, graph.add('Transpose', [tokens], { perm: [0, 2, 1] })]);
  const attended = graph.add('MatMul', [graph.add('Softmax', [scores], { axis: -1 }), tokens]);
  const whole = join(one, rows, columns, length, length, channels);
  const ordered = graph.add('Transpose', [graph.add('Reshape', [attended, whole])], {
    perm: [0, 5, 1, 3, 2, 4],
  });
  const back = graph.add('Reshape', [ordered, join(one, channels, height, width)]);
  graph.enlarge(graph.add('Add', [features, back]), 'input', scale);
  return graph.build('attention');
}

/** A U-Net: it halves an image, so that of an odd size something is missing. */
export function halving(scale: number): OnnxModel {
  const graph = new Layout();
  const small = graph.add('AveragePool', ['input'], { kernel_shape: [2, 2], strides: [2, 2] });
  const twice = graph.constant('twice', [4], Float32Array.of(1, 1, 2, 2));
  const large = graph.add('Resize', [small, '', twice], NEAREST);
  graph.enlarge(graph.convolve(large, 3, FEATURES), large, scale);
  return graph.build('halving');
}

/** FSRCNN and its like: the brightness alone. */
export function grey(scale: number): OnnxModel {
  const graph = new Layout();
  const features = graph.add('Relu', [graph.convolve('input', 1, FEATURES)]);
  graph.enlarge(features, 'input', scale, 1);
  const image = (height: string, width: string) => ['batch', 1, height, width] as const;
  return graph.build('grey', image('height', 'width'), image('output_height', 'output_width'));
}

/** The same model for images of one size. */
export function ofSize(model: OnnxModel, width: number, height: number): OnnxModel {
  return withInput(model, { dims: [1, 3, height, width] });
}

/** The same model with another declaration of its input. */
export function withInput(
  model: OnnxModel,
  { dims, elemType = 1 }: { readonly dims: readonly number[]; readonly elemType?: number },
): OnnxModel {
  const dim = dims.map((dimValue) => ({ dimValue }));
  const input = [{ name: 'input', type: { tensorType: { elemType, shape: { dim } } } }];
  return { ...model, graph: { ...model.graph, input } };
}

/** The same model with weights, input and output of 16 bits. */
export function inHalf(model: OnnxModel): OnnxModel {
  const { graph } = model;
  const [input, output] = [graph.input, graph.output].map((values) =>
    values.map((value) => ({
      ...value,
      type: { tensorType: { ...value.type?.tensorType, elemType: FLOAT16 } },
    })),
  );
  // The scales of a Resize stay float32.
  const scales = new Set(
    graph.node.flatMap(({ opType, input: names }) => (opType === 'Resize' ? names[2] : [])),
  );
  const initializer = graph.initializer.map((tensor) =>
    scales.has(tensor.name ?? '') ? tensor : halved(tensor),
  );
  return { ...model, graph: { ...graph, input: input ?? [], output: output ?? [], initializer } };
}

function halved(tensor: OnnxTensor): OnnxTensor {
  if (tensor.dataType !== 1 || tensor.rawData === undefined) return tensor;
  const values = new Float32Array(Uint8Array.from(tensor.rawData).buffer);
  return {
    ...tensor,
    dataType: FLOAT16,
    rawData: new Uint8Array(Uint16Array.from(values, floatToHalf).buffer),
  };
}
