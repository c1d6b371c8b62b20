import { attributeOf } from '../models/onnx-attributes.ts';
import { tensorFloats, type OnnxGraph, type OnnxNode, type OnnxTensor } from '../models/onnx-model.ts';
import { unsupported } from './unsupported.ts';

/** The constants of a graph: its initializers and the values of its Constant nodes. */
export class Constants {
  readonly #tensors: ReadonlyMap<string, OnnxTensor>;

  constructor(graph: OnnxGraph) {
    const inNodes = graph.node.flatMap((node): [string, OnnxTensor][] => {
      const value = node.opType === 'Constant' ? attributeOf(node, 'value')?.t : undefined;
      return value === undefined ? [] : [[node.output[0] ?? '', value]];
    });
    const initializers = graph.initializer.map((tensor) => [tensor.name ?? '', tensor] as const);
    this.#tensors = new Map([...initializers, ...inNodes]);
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** Shape and values of a float32 constant that a node requires. @throws EngineError if it is not a constant */
  floats(node: OnnxNode, name: string): { readonly dims: readonly number[]; readonly values: Float32Array } {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw unsupported(`${node.opType} with computed weights`, node);
    return { dims: tensor.dims.map(Number), values: tensorFloats(tensor) };
  }

  /** One value per channel; a single value applies to all channels. */
  channelFloats(node: OnnxNode, name: string, channels: number): Float32Array {
    const { values } = this.floats(node, name);
    if (values.length === 1) return new Float32Array(channels).fill(values[0] ?? 0);
    if (values.length !== channels)
      throw unsupported(`${node.opType} with ${values.length} values for ${channels} channels`, node);
    return values;
  }

  /** The value of a float32 constant with a single value; otherwise null. */
  scalar(name: string): number | null {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) return null;
    const values = tensorFloats(tensor);
    return values.length === 1 ? (values[0] ?? null) : null;
  }

  /** A constant list of 64-bit integers; null if it is computed. */
  integers(name: string): readonly number[] | null {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) return null;
    const { rawData, int64Data } = tensor;
    if (rawData === undefined || rawData.length === 0) return (int64Data ?? []).map(Number);
    const bytes = Buffer.from(rawData);
    return Array.from({ length: bytes.length / 8 }, (_, i) => Number(bytes.readBigInt64LE(8 * i)));
  }

  /** The last dimension of a shape, which may be the result of a Concat; null if it is not constant. */
  lastInteger(name: string, graph: OnnxGraph): number | null {
    const tensor = this.#tensors.get(name);
    if (tensor !== undefined) return this.integers(name)?.at(-1) ?? null;
    const producer = graph.node.find((node) => node.output[0] === name);
    const last = producer?.opType === 'Concat' ? producer.input.at(-1) : undefined;
    return last === undefined ? null : this.lastInteger(last, graph);
  }
}
