import { ModelError } from '../../domain/errors.ts';
import { listParam, numberParam, parseNcnnParam } from './ncnn-param.ts';
import type { NcnnLayer } from './ncnn-param.ts';
import { emitConvolution, emitDeconvolution, emitInnerProduct, emitLeakyRelu } from './ncnn-convolutions.ts';
import { unsuitable, type Emission } from './ncnn-emission.ts';
import { addFrame, type ModelFrame } from './model-frame.ts';
import { NcnnWeights } from './ncnn-weights.ts';
import { OnnxGraphBuilder } from './onnx-graph-builder.ts';
import { encodeModel } from './onnx-model.ts';

/** One emitter per layer type. `Input` and `Split` only rename blobs and need none. */
const EMITTERS: Readonly<Record<string, (emission: Emission) => void>> = {
  Convolution: emitConvolution,
  Deconvolution: emitDeconvolution,
  InnerProduct: emitInnerProduct,
  Pooling: emitPooling,
  Crop: emitCrop,
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
 *   that Real-ESRGAN and Real-CUGAN use
 */
export function ncnnToOnnx(
  paramText: string,
  bin: Uint8Array,
  name: string,
  frame: ModelFrame | null = null,
): Uint8Array {
  const layers = parseNcnnParam(paramText);
  const outputBlob = onlyOutput(layers);
  const weights = new NcnnWeights(bin);
  const graph = new OnnxGraphBuilder();
  /** Blobs to ONNX names. ncnn copies a blob for each reader (Split); in ONNX, all readers share it. */
  const onnxNames = new Map<string, string>();
  const { input, output: last, close } = addFrame(graph, frame);
  for (const layer of layers) {
    const inputs = layer.inputs.map((blob) => onnxNames.get(blob) ?? missingBlob(layer, blob));
    if (layer.type === 'Input' || layer.type === 'Split') {
      for (const blob of layer.outputs) onnxNames.set(blob, inputs[0] ?? input);
      continue;
    }
    const emit = EMITTERS[layer.type];
    if (emit === undefined) throw unsuitable(layer, 'has a type that cannot be converted');
    const [blob, ...more] = layer.outputs;
    if (blob === undefined || more.length > 0) throw unsuitable(layer, 'does not have exactly one output');
    const output = blob === outputBlob ? last : `blob_${blob}`;
    onnxNames.set(blob, output);
    emit({ layer, inputs, output, graph, weights });
  }
  weights.expectEnd();
  close();
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
  const opType = { 0: 'Add', 2: 'Mul' }[numberParam(layer, 0, 0)];
  if (opType === undefined || inputs.length !== 2)
    throw unsuitable(layer, 'is neither a sum nor a product of two inputs');
  graph.node(opType, inputs, output);
}

function emitPooling({ layer, inputs, output, graph }: Emission): void {
  const isGlobalMean = numberParam(layer, 0, 0) === 1 && numberParam(layer, 4, 0) === 1;
  if (!isGlobalMean) throw unsuitable(layer, 'is not the mean of each channel');
  graph.node('GlobalAveragePool', inputs, output);
}

/** The same numbers mean the same in both formats: axes and ends below 0 count from the last one. */
function emitCrop({ layer, inputs, output, graph }: Emission): void {
  const [starts, ends, axes] = [listParam(layer, 9), listParam(layer, 10), listParam(layer, 11)];
  if (starts.length === 0 || starts.length !== ends.length || starts.length !== axes.length)
    throw unsuitable(layer, 'does not name its starts, ends and axes');
  const operands = Object.entries({ starts, ends, axes }).map(([key, values]) =>
    graph.integers(`${layer.name}.${key}`, values),
  );
  graph.node('Slice', [...inputs, ...operands], output);
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
