import { decodeModel } from '../models/onnx-model.ts';
import { unsupported } from './unsupported.ts';
import { lowerGraph } from './lower-graph.ts';
import { placeTensors } from './place-tensors.ts';
import { encodePlan, type Plan, type WeightType } from './plan-format.ts';

/**
 * Compiles an ONNX model to a model plan, which the CUDA engine and the CPU engine run.
 *
 * @param file bytes of an ONNX file; `what` names it in errors
 * @throws EngineError ENGINE_UNAVAILABLE if the model has an operator that plans do not support
 */
export function compilePlan(file: Uint8Array, weights: WeightType, what: string): Uint8Array {
  return encodePlan(makePlan(file, what), weights);
}

export function makePlan(file: Uint8Array, what: string): Plan {
  const graph = lowerGraph(decodeModel(file, what).graph);
  const places = placeTensors(graph);
  const names = [graph.input, ...[...places.keys()].filter((name) => name !== graph.input)];
  const numbers = new Map(names.map((name, number) => [name, number]));
  const numberOf = (name: string): number => {
    const number = numbers.get(name);
    if (number === undefined) throw unsupported(`a value named ${name}, which no supported node computes`);
    return number;
  };
  return {
    tensors: names.flatMap((name) => places.get(name) ?? []),
    steps: graph.steps.steps.map((step) => ({
      ...step,
      input: numberOf(step.input),
      output: numberOf(step.output),
      residuals: step.residuals.map(numberOf),
    })),
    outputs: graph.outputs.map((output) => ({ ...output, tensor: numberOf(output.tensor) })),
  };
}
