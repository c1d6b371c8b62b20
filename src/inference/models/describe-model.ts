import { FLOAT32, typeName, type OnnxModel, type OnnxTensor, type OnnxValueInfo } from './onnx-model.ts';

/** What an ONNX file says about itself. */
export interface ModelDescription {
  /** The program that wrote the file; null if it does not say. */
  readonly producer: string | null;
  /** Version of the standard operators; null if it does not say. */
  readonly opset: number | null;
  readonly parameters: number;
  /** Such as `float32 [N, 3, H, W]`, one for each input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Describes a model by its file; it is not run. */
export function describeModel({ producerName, opsetImport, graph }: OnnxModel): ModelDescription {
  const constants = new Set(graph.initializer.map(({ name }) => name));
  const standard = opsetImport.find(
    ({ domain }) => domain === undefined || domain === '' || domain === 'ai.onnx',
  );
  return {
    producer: producerName === undefined || producerName === '' ? null : producerName,
    opset: standard?.version ?? null,
    parameters: [...graph.initializer, ...constantsOf(graph)]
      .filter(({ dataType }) => dataType === FLOAT32 || typeName(dataType) === 'float16')
      .reduce((sum, { dims }) => sum + dims.reduce((product, each) => product * each, 1), 0),
    inputs: graph.input.filter(({ name }) => !constants.has(name)).map(layoutOf),
    outputs: graph.output.map(layoutOf),
  };
}

/** Weights that are nodes rather than initializers, as PyTorch writes some. */
function constantsOf({ node }: OnnxModel['graph']): OnnxTensor[] {
  return node
    .filter(({ opType }) => opType === 'Constant')
    .flatMap(({ attribute }) => (attribute ?? []).flatMap(({ t }) => t ?? []));
}

function layoutOf({ type }: OnnxValueInfo): string {
  const { elemType, shape } = type?.tensorType ?? {};
  const dims = shape?.dim?.map(({ dimValue, dimParam }) =>
    dimValue !== undefined && dimValue > 0 ? String(dimValue) : (dimParam ?? '?'),
  );
  return `${elemType === undefined ? 'unknown type' : typeName(elemType)} [${dims?.join(', ') ?? 'any shape'}]`;
}
