import { attributeOf, integerOf, integersOf, textOf } from '../models/onnx-attributes.ts';
import type { OnnxNode } from '../models/onnx-model.ts';
import type { Constants } from './constants.ts';
import type { PlanWindow } from './plan-format.ts';
import type { Layer, Value } from './layer.ts';
import { unsupported } from './unsupported.ts';

export function convolution(node: OnnxNode, x: Value, constants: Constants): Layer {
  const { dims, values } = constants.floats(node, node.input[1] ?? '');
  const [cout = 0, cinPerGroup = 0, height = 0, width = 0] = dims;
  const groups = integerOf(node, 'group', 1);
  if (dims.length !== 4 || cinPerGroup * groups !== x.channels)
    throw unsupported(`Conv with weights of shape [${dims.join(', ')}] for ${x.channels} channels`, node);
  if (groups !== 1 && (groups !== x.channels || cout !== x.channels)) throw unsupported('grouped Conv', node);
  const window = slidingWindow(node, [height, width]);
  const bias = node.input[2];
  return {
    channels: cout,
    area: x.area / (window.strides[0] * window.strides[1]),
    step: {
      op: 'conv',
      window,
      groups,
      weights: channelsLast(values, cout, cinPerGroup, height * width),
      ...(bias === undefined || bias === '' ? {} : { bias: constants.channelFloats(node, bias, cout) }),
    },
  };
}

/** Reorders weights from [cout][cin][tap] to [cout][tap][cin]. */
function channelsLast(values: Float32Array, cout: number, cin: number, taps: number): Float32Array {
  const result = new Float32Array(values.length);
  let to = 0;
  for (let output = 0; output < cout; output++) {
    for (let tap = 0; tap < taps; tap++) {
      for (let input = 0; input < cin; input++)
        result[to++] = values[(output * cin + input) * taps + tap] ?? 0;
    }
  }
  return result;
}

export function pooling(node: OnnxNode, x: Value): Layer {
  const window = slidingWindow(node, integersOf(node, 'kernel_shape', []));
  const average = node.opType === 'AveragePool';
  if (integerOf(node, 'ceil_mode', 0) !== 0) throw unsupported(`${node.opType} with ceil_mode`, node);
  if (average && integerOf(node, 'count_include_pad', 0) !== 0 && window.pads.some((pad) => pad !== 0))
    throw unsupported('AveragePool with count_include_pad', node);
  return {
    channels: x.channels,
    area: x.area / (window.strides[0] * window.strides[1]),
    step: { op: average ? 'averagePool' : 'maxPool', window },
  };
}

export function globalAveragePool(x: Value): Layer {
  const window: PlanWindow = { kernel: [0, 0], strides: [1, 1], pads: [0, 0, 0, 0] };
  return { channels: x.channels, area: 0, step: { op: 'averagePool', window } };
}

function slidingWindow(node: OnnxNode, kernel: readonly number[]): PlanWindow {
  const [height, width, more] = kernel;
  const [top = 0, left = 0, bottom = 0, right = 0] = integersOf(node, 'pads', []);
  const [vertical = 1, horizontal = 1] = integersOf(node, 'strides', []);
  if (height === undefined || width === undefined || more !== undefined)
    throw unsupported(`${node.opType} that is not two-dimensional`, node);
  if (integersOf(node, 'dilations', []).some((dilation) => dilation !== 1))
    throw unsupported(`${node.opType} with dilations`, node);
  const autoPad = textOf(node, 'auto_pad');
  if (autoPad !== '' && autoPad !== 'NOTSET')
    throw unsupported(`${node.opType} with auto_pad ${autoPad}`, node);
  return { kernel: [height, width], strides: [vertical, horizontal], pads: [top, left, bottom, right] };
}

export function resizing(node: OnnxNode, x: Value, constants: Constants): Layer {
  const scales = node.input[2] === undefined ? [] : [...constants.floats(node, node.input[2]).values];
  const [batch = 0, channel = 0, vertical = 0, factor = 0] = scales;
  const plain =
    batch === 1 && channel === 1 && vertical === factor && Number.isInteger(factor) && factor >= 1;
  if (scales.length !== 4 || !plain)
    throw unsupported('Resize to a fixed size or by unequal or fractional factors', node);
  const coordinates = textOf(node, 'coordinate_transformation_mode');
  const mode = textOf(node, 'mode');
  const nearest =
    mode === 'nearest' &&
    coordinates === 'asymmetric' &&
    ['floor', ''].includes(textOf(node, 'nearest_mode'));
  const bilinear = mode === 'linear' && ['half_pixel', '', 'pytorch_half_pixel'].includes(coordinates);
  // `round_prefer_floor`, the default, equals `floor` only for factors up to 2.
  if (nearest && textOf(node, 'nearest_mode') === '' && factor > 2)
    throw unsupported('Resize by a factor above 2 with nearest_mode round_prefer_floor', node);
  if (!nearest && !bilinear)
    throw unsupported(
      mode === 'nearest' && coordinates === 'asymmetric'
        ? `Resize with nearest_mode ${textOf(node, 'nearest_mode')}`
        : `Resize with mode ${mode || 'nearest'} and coordinate_transformation_mode ${coordinates || 'half_pixel'}`,
      node,
    );
  return {
    channels: x.channels,
    area: x.area * factor * factor,
    step: { op: nearest ? 'resizeNearest' : 'resizeBilinear', factor },
  };
}

export function depthToSpace(node: OnnxNode, x: Value): Layer {
  const factor = attributeOf(node, 'blocksize')?.i ?? 0;
  if (textOf(node, 'mode') !== 'CRD') throw unsupported('DepthToSpace in DCR mode', node);
  if (factor < 1) throw unsupported(`DepthToSpace with blocksize ${factor}`, node);
  return {
    channels: x.channels / (factor * factor),
    area: x.area * factor * factor,
    step: { op: 'depthToSpace', factor },
  };
}

/** Pads an image with rows and columns of zeros: a depthwise convolution whose only non-zero weight is the central one. */
export function zeroPadding(
  x: Value,
  [top, left, bottom, right]: readonly [number, number, number, number],
): Layer {
  const reach = Math.max(top, left, bottom, right);
  const edge = 2 * reach + 1;
  const weights = new Float32Array(x.channels * edge * edge);
  for (let channel = 0; channel < x.channels; channel++) {
    // [cout][tap][1]
    weights[channel * edge * edge + (edge * edge - 1) / 2] = 1;
  }
  const window: PlanWindow = {
    kernel: [edge, edge],
    strides: [1, 1],
    pads: [reach + top, reach + left, reach + bottom, reach + right],
  };
  return { ...x, step: { op: 'conv', window, groups: x.channels, weights } };
}
