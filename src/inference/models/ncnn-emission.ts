import { ModelError } from '../../domain/errors.ts';
import type { NcnnLayer } from './ncnn-param.ts';
import type { NcnnWeights } from './ncnn-weights.ts';
import type { OnnxGraphBuilder } from './onnx-graph-builder.ts';

/** Arguments of an emitter, which adds one ncnn layer to a graph; inputs and output are names in the ONNX graph. */
export interface Emission {
  readonly layer: NcnnLayer;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly graph: OnnxGraphBuilder;
  readonly weights: NcnnWeights;
}

export function unsuitable(layer: NcnnLayer, reason: string): ModelError {
  return new ModelError('MODEL_UNSUITABLE', `The ncnn layer ${layer.type} ${layer.name} ${reason}.`);
}
