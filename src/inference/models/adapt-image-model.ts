import { ModelError } from '../../domain/errors.ts';
import { OnnxGraphBuilder } from './onnx-graph-builder.ts';
import { FLOAT16, FLOAT32, type OnnxDimension, type OnnxModel, type OnnxValueInfo } from './onnx-model.ts';

/** So that no name is one of the model. */
const PREFIX = 'framekiln_';
const INPUT = `${PREFIX}image`;
const OUTPUT = `${PREFIX}upscaled`;
/** Weights of red, green and blue in the brightness, as in BT.601, with which such models are trained. */
const BRIGHTNESS = [0.299, 0.587, 0.114];
/** The first version of `Resize` whose unused inputs can be left out. */
const LEAST_OPSET = 13;
/** The first version of the format in which a constant need not be an input as well. */
const LEAST_IR_VERSION = 4;

/** How a model differs from one that takes and returns three colours in float32. */
export interface ImageLayout {
  /** Whether the model takes or returns numbers of 16 bits. */
  readonly isHalf: boolean;
  /** Whether the model takes and returns brightness alone. */
  readonly isGrey: boolean;
}

export function imageLayoutOf({ graph }: OnnxModel): ImageLayout {
  const input = imageInput(graph);
  const isHalf = [input, graph.output[0]].some((value) => elemTypeOf(value) === FLOAT16);
  return { isHalf, isGrey: dimsOf(input)[1]?.dimValue === 1 };
}

/**
 * Adds operators around a model, so that it takes and returns images of three colours in float32: numbers of 16 bits are
 * converted, and a model for brightness alone gets the brightness of the image. The difference between each colour and
 * the brightness is resampled to the size of the result, and added to it.
 *
 * @param what names the model in errors
 * @returns the same model where nothing has to be added
 * @throws ModelError MODEL_UNSUITABLE
 */
export function adaptImageModel(model: OnnxModel, what: string): OnnxModel {
  const { isHalf, isGrey } = imageLayoutOf(model);
  const { graph, irVersion } = model;
  const input = imageInput(graph);
  const [output] = graph.output;
  if ((!isHalf && !isGrey) || input === undefined || output === undefined) return model;
  if (isGrey) assertOpset(model, what);
  const added = new OnnxGraphBuilder();
  const seen = isGrey ? addBrightness(added) : INPUT;
  added.node('Cast', [seen], input.name, { to: elemTypeOf(input) });
  const before = added.nodeCount;
  const upscaled = isGrey ? `${PREFIX}upscaled_brightness` : OUTPUT;
  added.node('Cast', [output.name], upscaled, { to: FLOAT32 });
  if (isGrey) addColours(added, seen, upscaled);
  const { node, initializer } = added.build('added').graph;
  const [batch = {}, , height = {}, width = {}] = dimsOf(input);
  return {
    ...model,
    irVersion: Math.max(irVersion, LEAST_IR_VERSION),
    graph: {
      ...graph,
      node: [...node.slice(0, before), ...graph.node, ...node.slice(before)],
      initializer: [...graph.initializer, ...initializer],
      input: [imageValue(INPUT, [batch, { dimValue: 3 }, height, width])],
      output: [imageValue(OUTPUT, [{}, { dimValue: 3 }, {}, {}])],
    },
  };
}

function assertOpset({ opsetImport }: OnnxModel, what: string): void {
  const opset = opsetImport.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx')?.version ?? 0;
  if (opset >= LEAST_OPSET) return;
  throw new ModelError(
    'MODEL_UNSUITABLE',
    `${what} cannot be used: it takes brightness alone, with operators of opset ${opset}; export it with opset ${LEAST_OPSET} or later.`,
  );
}

/** @returns the name of the brightness of the image */
function addBrightness(graph: OnnxGraphBuilder): string {
  const weights = graph.constant(`${PREFIX}weights`, [1, 3, 1, 1], Float32Array.from(BRIGHTNESS));
  graph.node('Conv', [INPUT, weights], `${PREFIX}brightness`, { kernel_shape: [1, 1] });
  return `${PREFIX}brightness`;
}

function addColours(graph: OnnxGraphBuilder, brightness: string, upscaled: string): void {
  const integer = (value: number): string => graph.integers(`${PREFIX}${value}`, [value]);
  const [first, middle, end] = [integer(0), integer(2), integer(4)];
  graph.node('Shape', [INPUT], `${PREFIX}shape`);
  graph.node('Slice', [`${PREFIX}shape`, first, middle], `${PREFIX}images`);
  graph.node('Shape', [upscaled], `${PREFIX}upscaled_shape`);
  graph.node('Slice', [`${PREFIX}upscaled_shape`, middle, end], `${PREFIX}edges`);
  graph.node('Concat', [`${PREFIX}images`, `${PREFIX}edges`], `${PREFIX}size`, { axis: 0 });
  graph.node('Sub', [INPUT, brightness], `${PREFIX}colours`);
  graph.node('Resize', [`${PREFIX}colours`, '', '', `${PREFIX}size`], `${PREFIX}resampled`, {
    coordinate_transformation_mode: 'half_pixel',
    mode: 'cubic',
  });
  graph.node('Add', [upscaled, `${PREFIX}resampled`], OUTPUT);
}

function imageInput({ input, initializer }: OnnxModel['graph']): OnnxValueInfo | undefined {
  const constants = new Set(initializer.map(({ name }) => name));
  return input.find(({ name }) => !constants.has(name));
}

function elemTypeOf(value: OnnxValueInfo | undefined): number {
  return value?.type?.tensorType?.elemType ?? FLOAT32;
}

function dimsOf(value: OnnxValueInfo | undefined): readonly OnnxDimension[] {
  return value?.type?.tensorType?.shape?.dim ?? [];
}

function imageValue(name: string, dim: readonly OnnxDimension[]): OnnxValueInfo {
  return { name, type: { tensorType: { elemType: FLOAT32, shape: { dim } } } };
}
