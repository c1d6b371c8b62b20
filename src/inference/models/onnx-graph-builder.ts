import { ATTRIBUTE_TYPE, floatTensor, integerTensor } from './onnx-model.ts';
import type { OnnxAttribute, OnnxModel, OnnxNode, OnnxTensor, OnnxValueInfo } from './onnx-model.ts';
import { FLOAT32 } from './onnx-model.ts';

/** The operators that the converters use have not changed since opset 13, which belongs to IR version 7. */
const OPSET_VERSION = 13;
const IR_VERSION = 7;

type AttributeValue = number | string | readonly number[] | { readonly float: number };

/** Dimensions of a value: numbers, or names for dimensions that are known only when the model runs. */
export type ValueShape = readonly (number | string)[];

const IMAGE: ValueShape = ['batch', 3, 'height', 'width'];
const OUTPUT_IMAGE: ValueShape = ['batch', 3, 'output_height', 'output_width'];

/** Builds an ONNX model with one input and one output, node by node. */
export class OnnxGraphBuilder {
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxTensor[] = [];

  get nodeCount(): number {
    return this.#nodes.length;
  }

  /** Adds a node. A plain number becomes an integer attribute; `{ float }` a float attribute. */
  node(
    opType: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): void {
    const attribute = Object.entries(attributes).map(([name, value]) => toAttribute(name, value));
    this.#nodes.push({ name: output, opType, input: inputs, output: [output], attribute });
  }

  /** Adds a float32 constant and returns its name. */
  constant(name: string, dims: readonly number[], values: Float32Array): string {
    this.#initializers.push(floatTensor(name, dims, values));
    return name;
  }

  /** Adds a constant list of 64-bit integers and returns its name. */
  integers(name: string, values: readonly number[]): string {
    this.#initializers.push(integerTensor(name, values));
    return name;
  }

  /** The model, with the values `input` and `output`, by default `[N, 3, H, W]` images of any size. */
  build(graphName: string, input = IMAGE, output = OUTPUT_IMAGE): OnnxModel {
    return {
      irVersion: IR_VERSION,
      producerName: 'framekiln',
      opsetImport: [{ domain: '', version: OPSET_VERSION }],
      graph: {
        name: graphName,
        node: this.#nodes,
        initializer: this.#initializers,
        input: [valueOf('input', input)],
        output: [valueOf('output', output)],
      },
    };
  }
}

function valueOf(name: string, shape: ValueShape): OnnxValueInfo {
  const dim = shape.map((edge) => (typeof edge === 'number' ? { dimValue: edge } : { dimParam: edge }));
  return { name, type: { tensorType: { elemType: FLOAT32, shape: { dim } } } };
}

function toAttribute(name: string, value: AttributeValue): OnnxAttribute {
  if (typeof value === 'number') return { name, type: ATTRIBUTE_TYPE.int, i: value };
  if (typeof value === 'string') return { name, type: ATTRIBUTE_TYPE.string, s: Buffer.from(value) };
  if ('float' in value) return { name, type: ATTRIBUTE_TYPE.float, f: value.float };
  return { name, type: ATTRIBUTE_TYPE.ints, ints: value };
}
