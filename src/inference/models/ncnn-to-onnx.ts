import { ModelError } from '../../domain/errors.ts';
import { listParam, numberParam, parseNcnnParam } from './ncnn-param.ts';
import type { NcnnLayer } from './ncnn-param.ts';
import { NcnnWeights } from './ncnn-weights.ts';
import { OnnxGraphBuilder } from './onnx-graph-builder.ts';
import { encodeModel } from './onnx-model.ts';

/** Arguments of an emitter; inputs and output are names in the ONNX graph. */
interface Emission {
  readonly layer: NcnnLayer;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly graph: OnnxGraphBuilder;
  readonly weights: NcnnWeights;
}

/** One emitter per layer type. `Input` and `Split` only rename blobs and need none. */
const EMITTERS: Readonly<Record<string, (emission: Emission) => void>> = {
  Convolution: emitConvolution,
  PReLU: emitPRelu,
  ReLU: emitRelu,
  Concat: emitConcat,
  Eltwise: emitEltwise,
  BinaryOp: emitBinaryOp,
  PixelShuffle: emitPixelShuffle,
  Interp: emitInterp,
};

/**
 * Converts an ncnn super-resolution model to ONNX: float32, one image of any size as input and one as output. The result
 * is deterministic. The semantics of the layers are those of ncnn's `operators.md`.
 *
 * @throws ModelError MODEL_UNREADABLE if the files are damaged, MODEL_UNSUITABLE if a layer or option is not one of those
 *   that Real-ESRGAN models use
 */
export function ncnnToOnnx(paramText: string, bin: Uint8Array, name: string): Uint8Array {
  const layers = parseNcnnParam(paramText);
  const outputBlob = onlyOutput(layers);
  const weights = new NcnnWeights(bin);
  const graph = new OnnxGraphBuilder();
  /** Blobs to ONNX names. ncnn copies a blob for each reader (Split); in ONNX, all readers share it. */
  const onnxNames = new Map<string, string>();
  for (const layer of layers) {
    const inputs = layer.inputs.map((blob) => onnxNames.get(blob) ?? missingBlob(layer, blob));
    if (layer.type === 'Input' || layer.type === 'Split') {
      for (const blob of layer.outputs) onnxNames.set(blob, inputs[0] ?? 'input');
      continue;
    }
    const emit = EMITTERS[layer.type];
    if (emit === undefined) throw unsuitable(layer, 'has a type that cannot be converted');
    const [blob, ...more] = layer.outputs;
    if (blob === undefined || more.length > 0) throw unsuitable(layer, 'does not have exactly one output');
    const output = blob === outputBlob ? 'output' : `blob_${blob}`;
    onnxNames.set(blob, output);
    emit({ layer, inputs, output, graph, weights });
  }
  weights.expectEnd();
  return encodeModel(graph.build(name));
}

function onlyOutput(layers: readonly NcnnLayer[]): string {
  const read = new Set(layers.flatMap((layer) => layer.inputs));
  const [output, ...more] = layers.flatMap((layer) => layer.outputs).filter((blob) => !read.has(blob));
  if (output === undefined || more.length > 0) {
    throw new ModelError('MODEL_UNSUITABLE', 'The ncnn model does not have exactly one output.');
  }
  return output;
}

function emitConvolution({ layer, inputs, output, graph, weights }: Emission): void {
  const outChannels = numberParam(layer, 0, 0);
  const kernelWidth = numberParam(layer, 1, 0);
  const kernelHeight = numberParam(layer, 11, kernelWidth);
  const dilationWidth = numberParam(layer, 2, 1);
  const strideWidth = numberParam(layer, 3, 1);
  const left = numberParam(layer, 4, 0);
  const right = numberParam(layer, 15, left);
  const top = numberParam(layer, 14, left);
  const bottom = numberParam(layer, 16, top);
  if (Math.min(left, right, top, bottom) < 0) throw unsuitable(layer, 'does not have explicit padding');
  const weightCount = numberParam(layer, 6, 0);
  const inChannels = weightCount / (outChannels * kernelWidth * kernelHeight);
  if (!Number.isInteger(inChannels))
    throw unsuitable(layer, `has an impossible weight count of ${weightCount}`);

  const kernel = weights.readTagged(weightCount, layer.name);
  const kernelDims = [outChannels, inChannels, kernelHeight, kernelWidth];
  const operands = [...inputs, graph.constant(`${layer.name}.weight`, kernelDims, kernel)];
  if (numberParam(layer, 5, 0) !== 0) {
    const bias = weights.readFloats(outChannels, layer.name);
    operands.push(graph.constant(`${layer.name}.bias`, [outChannels], bias));
  }
  const activation = activationOf(layer);
  const linear = activation === null ? output : `${output}_linear`;
  graph.node('Conv', operands, linear, {
    dilations: [numberParam(layer, 12, dilationWidth), dilationWidth],
    kernel_shape: [kernelHeight, kernelWidth],
    pads: [top, left, bottom, right],
    strides: [numberParam(layer, 13, strideWidth), strideWidth],
  });
  if (activation !== null) emitLeakyRelu(graph, linear, output, activation.slope);
}

/** The activation that ncnn fused into a convolution: a ReLU with its negative slope, or null. */
function activationOf(layer: NcnnLayer): { slope: number } | null {
  const type = numberParam(layer, 9, 0);
  if (type === 0) return null;
  if (type === 1) return { slope: 0 };
  const [slope] = listParam(layer, 10);
  if (type === 2 && slope !== undefined) return { slope };
  throw unsuitable(layer, `has activation type ${type}, which cannot be converted`);
}

function emitLeakyRelu(graph: OnnxGraphBuilder, input: string, output: string, slope: number): void {
  if (slope === 0) graph.node('Relu', [input], output);
  else graph.node('LeakyRelu', [input], output, { alpha: { float: slope } });
}

function emitPRelu({ layer, inputs, output, graph, weights }: Emission): void {
  const count = numberParam(layer, 0, 0);
  const slopes = weights.readFloats(count, layer.name);
  graph.node('PRelu', [...inputs, graph.constant(`${layer.name}.slope`, [count, 1, 1], slopes)], output);
}

function emitRelu({ layer, inputs, output, graph }: Emission): void {
  emitLeakyRelu(graph, inputs[0] ?? '', output, numberParam(layer, 0, 0));
}

function emitConcat({ layer, inputs, output, graph }: Emission): void {
  if (numberParam(layer, 0, 0) !== 0) throw unsuitable(layer, 'does not concatenate channels');
  graph.node('Concat', inputs, output, { axis: 1 });
}

function emitEltwise({ layer, inputs, output, graph }: Emission): void {
  if (numberParam(layer, 0, 0) !== 1 || inputs.length !== 2)
    throw unsuitable(layer, 'is not a sum of two inputs');
  const coefficients = listParam(layer, 1);
  const terms = inputs.map((input, index) => {
    const coefficient = coefficients[index] ?? 1;
    if (coefficient === 1) return input;
    const factor = graph.constant(`${layer.name}.factor${index}`, [], Float32Array.of(coefficient));
    graph.node('Mul', [input, factor], `${output}_term${index}`);
    return `${output}_term${index}`;
  });
  graph.node('Add', terms, output);
}

function emitBinaryOp({ layer, inputs, output, graph }: Emission): void {
  if (numberParam(layer, 0, 0) !== 0 || inputs.length !== 2)
    throw unsuitable(layer, 'is not a sum of two inputs');
  graph.node('Add', inputs, output);
}

function emitPixelShuffle({ layer, inputs, output, graph }: Emission): void {
  // ncnn's mode 0 is PyTorch's order (channel, row, column), which ONNX calls CRD; mode 1 is DCR.
  const mode = numberParam(layer, 1, 0) === 0 ? 'CRD' : 'DCR';
  graph.node('DepthToSpace', inputs, output, { blocksize: numberParam(layer, 0, 1), mode });
}

function emitInterp({ layer, inputs, output, graph }: Emission): void {
  const [height, width] = [numberParam(layer, 1, 1), numberParam(layer, 2, 1)];
  const nearest = numberParam(layer, 0, 0) === 1;
  const toFixedSize = numberParam(layer, 3, 0) !== 0 || numberParam(layer, 4, 0) !== 0;
  if (!nearest || toFixedSize) throw unsuitable(layer, 'is not nearest-neighbour scaling by a factor');
  const scales = graph.constant(`${layer.name}.scales`, [4], Float32Array.of(1, 1, height, width));
  graph.node('Resize', [...inputs, '', scales], output, {
    coordinate_transformation_mode: 'asymmetric',
    mode: 'nearest',
    nearest_mode: 'floor',
  });
}

function missingBlob(layer: NcnnLayer, blob: string): never {
  const what = `The layer ${layer.name} reads the blob ${blob}, which no earlier layer computes.`;
  throw new ModelError('MODEL_UNREADABLE', what);
}

function unsuitable(layer: NcnnLayer, reason: string): ModelError {
  return new ModelError('MODEL_UNSUITABLE', `The ncnn layer ${layer.type} ${layer.name} ${reason}.`);
}
