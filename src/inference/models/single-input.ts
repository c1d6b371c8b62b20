import { FLOAT32, integerTensor, ATTRIBUTE_TYPE, type OnnxModel, type OnnxNode } from './onnx-model.ts';

/** A part of the packed input that becomes an input of the model: these channels, and so many rows and columns. */
export interface PackedPart {
  readonly input: string;
  readonly channels: readonly [from: number, to: number];
  readonly rows: number;
  readonly columns: number;
}

const PACKED = 'framekiln_packed';

/**
 * Gives a model with several inputs a single one, `[N, channels, height, width]`, of which each former input is a part. So it
 * can be run, shared and compared by the engines like any other model.
 *
 * @param batch the only batch size of the model; null: any
 */
export function withSingleInput(
  model: OnnxModel,
  parts: readonly PackedPart[],
  [batch, channels, height, width]: readonly [number | null, number, number, number],
): OnnxModel {
  const { graph } = model;
  const version = model.opsetImport.find(({ domain = '' }) => domain === '')?.version ?? 13;
  const sliced = parts.map((part) => slice(part, version));
  const first = batch === null ? { dimParam: 'batch' } : { dimValue: batch };
  const dim = [first, ...[channels, height, width].map((dimValue) => ({ dimValue }))];
  const replaced = new Set(parts.map(({ input }) => input));
  return {
    ...model,
    graph: {
      ...graph,
      node: [...sliced.map(({ node }) => node), ...graph.node],
      initializer: [...graph.initializer, ...sliced.flatMap(({ constants }) => constants)],
      input: [
        { name: PACKED, type: { tensorType: { elemType: FLOAT32, shape: { dim } } } },
        ...graph.input.filter(({ name }) => !replaced.has(name)),
      ],
    },
  };
}

function slice({ input, channels, rows, columns }: PackedPart, version: number) {
  const lists = {
    starts: [channels[0], 0, 0],
    ends: [channels[1], rows, columns],
    axes: [1, 2, 3],
  };
  const node = { name: `slice ${input}`, opType: 'Slice', output: [input] };
  // Before opset 10, they were attributes.
  if (version < 10) {
    const attribute = Object.entries(lists).map(([name, ints]) => ({
      name,
      type: ATTRIBUTE_TYPE.ints,
      ints,
    }));
    return { node: { ...node, input: [PACKED], attribute } satisfies OnnxNode, constants: [] };
  }
  const constants = Object.entries(lists).map(([name, values]) =>
    integerTensor(`framekiln_${input}_${name}`, values),
  );
  return {
    node: { ...node, input: [PACKED, ...constants.map(({ name }) => name ?? '')] } satisfies OnnxNode,
    constants,
  };
}
