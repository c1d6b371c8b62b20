import { decodeModel, encodeModel, floatTensor, tensorFloats } from './onnx-model.ts';
import { attributeOf, textOf } from './onnx-attributes.ts';
import type { OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from './onnx-model.ts';

/** The end of an SRVGG model: output = DepthToSpace(Conv(…), 4) + Resize(input, nearest, x4). */
interface Tail {
  readonly conv: OnnxNode;
  readonly shuffle: OnnxNode;
  readonly resize: OnnxNode;
  readonly kernel: OnnxTensor;
  readonly bias: OnnxTensor;
}

const FOLDED_KERNEL = 'folded_kernel';
const FOLDED_BIAS = 'folded_bias';
const FOLDED_SCALES = 'folded_scales';

/**
 * Converts an SRVGG x4 model to an x2 model that returns the average of each 2x2 pixels of its output; null if the model
 * has another structure. Averaging and the last convolution are both linear, so averaging is folded into its weights: 12
 * output channels instead of 48, a quarter of the pixels to shuffle, and the same result up to rounding.
 *
 * @param file bytes of an ONNX file; `what` names it in errors
 */
export function foldScale2(file: Uint8Array, what: string): Uint8Array | null {
  const model = decodeModel(file, what);
  const tail = findTail(model.graph);
  return tail === null ? null : encodeModel(fold(model, tail));
}

function findTail(graph: OnnxGraph): Tail | null {
  const producers = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const tensors = new Map(graph.initializer.map((tensor) => [tensor.name, tensor] as const));
  const add = producers.get(graph.output[0]?.name ?? '');
  if (add?.opType !== 'Add') return null;
  const terms = add.input.map((name) => producers.get(name));
  const shuffle = terms.find((node) => node?.opType === 'DepthToSpace');
  const resize = terms.find((node) => node?.opType === 'Resize');
  const conv = producers.get(shuffle?.input[0] ?? '');
  if (shuffle === undefined || resize === undefined || conv?.opType !== 'Conv') return null;

  const kernel = tensors.get(conv.input[1]);
  const bias = tensors.get(conv.input[2]);
  const scales = tensors.get(resize.input[2]);
  if (kernel === undefined || bias === undefined || scales === undefined) return null;
  const isX4 =
    attributeOf(shuffle, 'blocksize')?.i === 4 &&
    textOf(shuffle, 'mode') === 'CRD' &&
    textOf(resize, 'mode') === 'nearest' &&
    resize.input[0] === graph.input[0]?.name &&
    tensorFloats(scales).join() === '1,1,4,4' &&
    kernel.dims[0] === 48;
  return isX4 ? { conv, shuffle, resize, kernel, bias } : null;
}

function fold(model: OnnxModel, tail: Tail): OnnxModel {
  const { graph } = model;
  const kernelDims = [12, ...tail.kernel.dims.slice(1)];
  const added = [
    floatTensor(FOLDED_KERNEL, kernelDims, averageChannels(tensorFloats(tail.kernel))),
    floatTensor(FOLDED_BIAS, [12], averageChannels(tensorFloats(tail.bias))),
    floatTensor(FOLDED_SCALES, [4], Float32Array.of(1, 1, 2, 2)),
  ];
  const replacements = new Map<OnnxNode, OnnxNode>([
    [tail.conv, { ...tail.conv, input: [tail.conv.input[0] ?? '', FOLDED_KERNEL, FOLDED_BIAS] }],
    [tail.shuffle, withBlocksize2(tail.shuffle)],
    [tail.resize, { ...tail.resize, input: [tail.resize.input[0] ?? '', '', FOLDED_SCALES] }],
  ]);
  const node = graph.node.map((each) => replacements.get(each) ?? each);
  const stillRead = new Set(node.flatMap((each) => each.input));
  const initializer = [...graph.initializer, ...added].filter(({ name }) => stillRead.has(name ?? ''));
  // The shapes stored for intermediate values are those of x4; without them, the engine infers the new ones.
  return {
    ...model,
    graph: { ...graph, node, initializer, valueInfo: [], output: graph.output.map(anySize) },
  };
}

/**
 * Averages 48 rows of equal length, one for each (colour, row of 4, column of 4), over each 2x2 to 12 rows, one for each
 * (colour, row of 2, column of 2).
 */
function averageChannels(values: Float32Array): Float32Array {
  const length = values.length / 48;
  const averages = new Float32Array(12 * length);
  for (let out = 0; out < 12; out++) {
    const color = out >> 2;
    const row = (out >> 1) & 1;
    const column = out & 1;
    const first = color * 16 + row * 8 + column * 2;
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (const channel of [first, first + 1, first + 4, first + 5])
        sum += values[channel * length + i] ?? 0;
      averages[out * length + i] = sum / 4;
    }
  }
  return averages;
}

function withBlocksize2(shuffle: OnnxNode): OnnxNode {
  const attribute = (shuffle.attribute ?? []).map((each) =>
    each.name === 'blocksize' ? { ...each, i: 2 } : each,
  );
  return { ...shuffle, attribute };
}

function anySize(output: OnnxGraph['output'][number]): OnnxGraph['output'][number] {
  const dims = output.type?.tensorType?.shape?.dim ?? [];
  const names = ['folded_height', 'folded_width'];
  const dim = dims.map((each, index) => (index < 2 ? each : { dimParam: names[index - 2] ?? '' }));
  return { ...output, type: { tensorType: { ...output.type?.tensorType, shape: { dim } } } };
}
