import { EngineError, GpuUnavailableError, toError } from '../domain/errors.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';
import type { Device } from '../domain/recipe.ts';
import type { Engine, LoadedModel, LoadOptions, ModelOutput, Tensor } from './engine.ts';
import { onlyImage } from './only-image.ts';

/** A model on the engine that was chosen for it. */
export interface ChosenModel {
  readonly model: LoadedModel;
  readonly engine: Engine;
  /** Why preferred engines were skipped; null if none was. */
  readonly reason: string | null;
}

export interface ReadyModel extends ChosenModel {
  /** Output pixels per source pixel, along one edge. */
  readonly scale: number;
}

/** Edge of the test image: larger than any kernel, small enough for any memory. */
const TRIAL_EDGE = 16;

/** Maximum difference of components in 0..1; half precision and rounding stay below it, a wrong pixel does not. */
const MAX_DIFFERENCE = 0.05;

/**
 * Loads a model that upscales images on the first engine that can run it. Each engine is tested with a tiny
 * image first, and its result is compared with that of the last engine, which runs on the CPU.
 *
 * @param engines in the order of preference
 * @throws EngineError if no engine can run it, or GpuUnavailableError if no GPU can and the device is `gpu-only`; the message
 *   lists the reason of each engine
 */
export async function loadModel(
  onnx: Uint8Array,
  device: Device,
  engines: readonly Engine[],
  options: LoadOptions,
): Promise<ReadyModel> {
  const image = trialImage([1, 3, TRIAL_EDGE, TRIAL_EDGE]);
  const { outcome: scale, ...chosen } = await chooseEngine(onnx, device, engines, options, image, scaleOf);
  return { ...chosen, scale };
}

/**
 * Loads a model with other outputs, such as a detector, on the first engine that can run it.
 *
 * @param shape of the test image
 * @param judge interprets the outputs for the test image; throws if the model is not suitable
 * @throws EngineError like `loadModel`
 */
export function loadAnalyser<Outcome>(
  onnx: Uint8Array,
  device: Device,
  engines: readonly Engine[],
  options: LoadOptions,
  shape: Tensor['shape'],
  judge: (outputs: readonly ModelOutput[]) => Outcome,
): Promise<ChosenModel & { readonly outcome: Outcome }> {
  return chooseEngine(onnx, device, engines, options, trialImage(shape), judge);
}

async function chooseEngine<Outcome>(
  onnx: Uint8Array,
  device: Device,
  engines: readonly Engine[],
  options: LoadOptions,
  image: Tensor,
  judge: (outputs: readonly ModelOutput[]) => Outcome,
): Promise<ChosenModel & { readonly outcome: Outcome }> {
  const reasons: string[] = [];
  if (device !== 'cpu' && !engines.some((engine) => engine.device === 'gpu'))
    reasons.push('no GPU engine is installed');
  for (const engine of engines) {
    if (!allows(device, engine)) continue;
    if (engine.isFor?.(options) === false) continue;
    try {
      const model = await engine.load(onnx, options);
      try {
        const outputs = await model.run(image);
        const outcome = judge(outputs);
        validate(outputs, await runReference(onnx, engine, engines, options, image));
        return { model, engine, reason: reasons.length === 0 ? null : reasons.join('; '), outcome };
      } catch (error) {
        await model.dispose();
        throw error;
      }
    } catch (error) {
      reasons.push(`${engine.name}: ${withoutFullStop(toError(error).message)}`);
    }
  }
  if (device === 'gpu-only')
    throw new GpuUnavailableError(
      `No GPU can run the model (${reasons.join('; ')}), and the device gpu-only rules out the CPU; to check the GPU: framekiln doctor`,
    );
  throw new EngineError('ENGINE_UNAVAILABLE', `No engine can run the model (${reasons.join('; ')}).`);
}

/** A warning for the log if the device is `gpu` and the model runs on the CPU all the same; null otherwise. */
export function whyNotOnGpu(device: Device, { engine, reason }: ChosenModel): string | null {
  if (device !== 'gpu' || engine.device === 'gpu') return null;
  return `no GPU can run the model (${reason ?? 'unknown reason'}); using the CPU instead`;
}

function allows(device: Device, engine: Engine): boolean {
  if (device === 'cpu') return engine.device === 'cpu';
  return device !== 'gpu-only' || engine.device === 'gpu';
}

/** The result of the last engine for the CPU, to compare another engine with; null if there is nothing to compare. */
async function runReference(
  onnx: Uint8Array,
  engine: Engine,
  engines: readonly Engine[],
  options: LoadOptions,
  image: Tensor,
): Promise<readonly ModelOutput[] | null> {
  const reference = engines.findLast(({ device }) => device === 'cpu');
  if (reference === undefined || reference === engine) return null;
  try {
    const model = await reference.load(onnx, options);
    try {
      return await model.run(image);
    } finally {
      await model.dispose();
    }
  } catch (error) {
    const why = `cannot compare its result with that of ${reference.name}: ${toError(error).message}`;
    throw new EngineError('ENGINE_FAILED', why, { cause: error });
  }
}

/** The scale of a model, by the size of its output for the test image. */
function scaleOf(outputs: readonly ModelOutput[]): number {
  const { shape } = onlyImage(outputs);
  const scale = shape[3] / TRIAL_EDGE;
  if (shape[0] === 1 && shape[1] === 3 && shape[2] === shape[3] && scale >= 1 && Number.isInteger(scale))
    return scale;
  const what = `the output ${shape.join('x')} for a 1x3x${TRIAL_EDGE}x${TRIAL_EDGE} test image is not an upscaled image`;
  throw new EngineError('ENGINE_FAILED', what);
}

function validate(outputs: readonly ModelOutput[], expected: readonly ModelOutput[] | null): void {
  const isAsExpected =
    expected === null ||
    (outputs.length === expected.length &&
      outputs.every(({ data }, i) => isNear(data, expected[i]?.data ?? new Float32Array(0))));
  if (!isAsExpected)
    throw new EngineError('ENGINE_FAILED', 'the result for the test image differs from that of the CPU');
}

/** Compares values in 0..1; for larger ranges, the tolerance is proportional to the largest value. */
function isNear(found: Float32Array, expected: Float32Array): boolean {
  const largest = expected.reduce((soFar, value) => Math.max(soFar, Math.abs(value)), 1);
  return (
    found.length === expected.length &&
    found.every((value, i) => Math.abs(value - (expected[i] ?? NaN)) <= MAX_DIFFERENCE * largest)
  );
}

/** Waves of many directions and lengths, so that every weight affects the result. */
function trialImage(shape: Tensor['shape']): Tensor {
  const [, channels, height, width] = shape;
  const data = Float32Array.from({ length: channels * height * width }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width) % height];
    const color = Math.floor(i / (width * height));
    return 0.5 + 0.45 * Math.sin(0.11 * x * (y + 1) + color) * Math.cos(0.07 * y * y - 0.5 * x);
  });
  return { data, shape };
}
