import type { NcnnLayer } from './ncnn-param.ts';
import { listParam, numberParam } from './ncnn-param.ts';
import { unsuitable, type Emission } from './ncnn-emission.ts';
import type { OnnxGraphBuilder } from './onnx-graph-builder.ts';

type Attributes = Parameters<OnnxGraphBuilder['node']>[3];

/** Rows and columns of what slides over the image. */
interface Window {
  readonly kernel: readonly [height: number, width: number];
  readonly attributes: Attributes;
}

export function emitConvolution(emission: Emission): void {
  const { layer, weights } = emission;
  const { kernel, attributes } = windowOf(layer);
  const [outChannels, weightCount] = [numberParam(layer, 0, 0), numberParam(layer, 6, 0)];
  const inChannels = inputChannels(layer, outChannels * kernel[0] * kernel[1], weightCount);
  const values = weights.readTagged(weightCount, layer.name);
  emitWithBias(emission, 'Conv', [outChannels, inChannels, ...kernel], values, attributes);
}

/** ncnn stores these kernels by output channel as well, but ONNX by input channel. */
export function emitDeconvolution(emission: Emission): void {
  const { layer, weights } = emission;
  const { kernel, attributes } = windowOf(layer);
  const hasOutputSize = [18, 19, 20, 21].some((key) => numberParam(layer, key, 0) !== 0);
  if (hasOutputSize) throw unsuitable(layer, 'sets the size of its output');
  const [outChannels, weightCount] = [numberParam(layer, 0, 0), numberParam(layer, 6, 0)];
  const area = kernel[0] * kernel[1];
  const inChannels = inputChannels(layer, outChannels * area, weightCount);
  const stored = weights.readTagged(weightCount, layer.name);
  const values = new Float32Array(weightCount);
  for (let out = 0; out < outChannels; out++)
    for (let from = 0; from < inChannels; from++) {
      const start = (out * inChannels + from) * area;
      values.set(stored.subarray(start, start + area), (from * outChannels + out) * area);
    }
  emitWithBias(emission, 'ConvTranspose', [inChannels, outChannels, ...kernel], values, attributes);
}

/** Its input is the mean of each channel, an image of one pixel, so that it is a convolution with a 1x1 kernel. */
export function emitInnerProduct(emission: Emission): void {
  const { layer, weights } = emission;
  const [outChannels, weightCount] = [numberParam(layer, 0, 0), numberParam(layer, 2, 0)];
  const inChannels = inputChannels(layer, outChannels, weightCount);
  const values = weights.readTagged(weightCount, layer.name);
  const hasBias = numberParam(layer, 1, 0) !== 0;
  emitWithBias(emission, 'Conv', [outChannels, inChannels, 1, 1], values, {}, hasBias);
}

export function emitLeakyRelu(graph: OnnxGraphBuilder, input: string, output: string, slope: number): void {
  if (slope === 0) graph.node('Relu', [input], output);
  else graph.node('LeakyRelu', [input], output, { alpha: { float: slope } });
}

function windowOf(layer: NcnnLayer): Window {
  const kernelWidth = numberParam(layer, 1, 0);
  const kernelHeight = numberParam(layer, 11, kernelWidth);
  const dilationWidth = numberParam(layer, 2, 1);
  const strideWidth = numberParam(layer, 3, 1);
  const left = numberParam(layer, 4, 0);
  const right = numberParam(layer, 15, left);
  const top = numberParam(layer, 14, left);
  const bottom = numberParam(layer, 16, top);
  if (Math.min(left, right, top, bottom) < 0) throw unsuitable(layer, 'does not have explicit padding');
  return {
    kernel: [kernelHeight, kernelWidth],
    attributes: {
      dilations: [numberParam(layer, 12, dilationWidth), dilationWidth],
      kernel_shape: [kernelHeight, kernelWidth],
      pads: [top, left, bottom, right],
      strides: [numberParam(layer, 13, strideWidth), strideWidth],
    },
  };
}

function inputChannels(layer: NcnnLayer, weightsPerChannel: number, weightCount: number): number {
  const channels = weightCount / weightsPerChannel;
  if (!Number.isInteger(channels))
    throw unsuitable(layer, `has an impossible weight count of ${weightCount}`);
  return channels;
}

function emitWithBias(
  { layer, inputs, output, graph, weights }: Emission,
  opType: string,
  dims: readonly number[],
  kernel: Float32Array,
  attributes: Attributes,
  hasBias = numberParam(layer, 5, 0) !== 0,
): void {
  const operands = [...inputs, graph.constant(`${layer.name}.weight`, dims, kernel)];
  if (hasBias) {
    const outChannels = numberParam(layer, 0, 0);
    const bias = weights.readFloats(outChannels, layer.name);
    operands.push(graph.constant(`${layer.name}.bias`, [outChannels], bias));
  }
  const activate = activationOf(layer);
  const linear = activate === null ? output : `${output}_linear`;
  graph.node(opType, operands, linear, attributes);
  activate?.(graph, linear, output);
}

type Activation = (graph: OnnxGraphBuilder, input: string, output: string) => void;

/** The activation that ncnn fused into a layer: ReLU, leaky ReLU or sigmoid; null if there is none. */
function activationOf(layer: NcnnLayer): Activation | null {
  const type = numberParam(layer, 9, 0);
  const [slope] = listParam(layer, 10);
  if (type === 0) return null;
  if (type === 1) return (graph, input, output) => emitLeakyRelu(graph, input, output, 0);
  if (type === 2 && slope !== undefined)
    return (graph, input, output) => emitLeakyRelu(graph, input, output, slope);
  if (type === 4) return (graph, input, output) => graph.node('Sigmoid', [input], output);
  throw unsuitable(layer, `has activation type ${type}, which cannot be converted`);
}
