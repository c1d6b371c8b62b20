import { OnnxGraphBuilder } from '../../src/inference/models/onnx-graph-builder.ts';
import { decodeModel, encodeModel, type OnnxModel } from '../../src/inference/models/onnx-model.ts';
import { seededRandom } from '../../src/lib/seeded-random.ts';

const NEAREST = { coordinate_transformation_mode: 'asymmetric', mode: 'nearest', nearest_mode: 'floor' };
const SAME_3X3 = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1], dilations: [1, 1] };

/** An x4 model of the SRVGG family: two 3x3 convolutions, so that an overlap of 2 pixels is exact. */
export function tinySrvgg(): Uint8Array {
  const random = seededRandom(7);
  const numbers = (count: number) => Float32Array.from({ length: count }, () => (random() - 0.5) * 0.4);
  const graph = new OnnxGraphBuilder();
  const first = [graph.constant('w1', [8, 3, 3, 3], numbers(216)), graph.constant('b1', [8], numbers(8))];
  graph.node('Conv', ['input', ...first], 'features', SAME_3X3);
  graph.node('PRelu', ['features', graph.constant('slope', [8, 1, 1], numbers(8))], 'active');
  const last = [graph.constant('w2', [48, 8, 3, 3], numbers(3456)), graph.constant('b2', [48], numbers(48))];
  graph.node('Conv', ['active', ...last], 'residual', SAME_3X3);
  graph.node('DepthToSpace', ['residual'], 'shuffled', { blocksize: 4, mode: 'CRD' });
  const scales = graph.constant('scales', [4], Float32Array.of(1, 1, 4, 4));
  graph.node('Resize', ['input', '', scales], 'base', NEAREST);
  graph.node('Add', ['shuffled', 'base'], 'output');
  return encodeModel(graph.build('tiny'));
}

/** A model with the layout of BlazeFace that never detects a face. */
export function blindBlazeFace(): Uint8Array {
  const graph = new OnnxGraphBuilder();
  const kernel = graph.constant('w', [17, 3, 4, 4], new Float32Array(17 * 48));
  const bias = graph.constant('b', [17], new Float32Array(17).fill(-20));
  graph.node('Conv', ['input', kernel, bias], 'output', { kernel_shape: [4, 4], strides: [4, 4] });
  return encodeModel(graph.build('blind', undefined, ['batch', 17, 'rows', 'columns']));
}

/** A model that repeats each pixel `factor` times in both directions. */
export function repeatingModel(factor: number): Uint8Array {
  const graph = new OnnxGraphBuilder();
  const scales = graph.constant('scales', [4], Float32Array.of(1, 1, factor, factor));
  graph.node('Resize', ['input', '', scales], 'output', NEAREST);
  return encodeModel(graph.build('repeating'));
}

/** Decodes an ONNX file, changes its model, and encodes it again. */
export function changedModel(file: Uint8Array, change: (model: OnnxModel) => OnnxModel): Uint8Array {
  return encodeModel(change(decodeModel(file, 'the test model')));
}
