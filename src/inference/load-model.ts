import { EngineError, GpuUnavailableError, toError } from '../domain/errors.ts';
import { withoutFullStop } from '../lib/without-full-stop.ts';
import type { Device } from '../domain/recipe.ts';
import { fastestRun } from './fastest-run.ts';
import type { Engine, LoadedModel, LoadOptions, ModelOutput, Tensor } from './engine.ts';

/** A model on the engine that was chosen for it. */
export interface ChosenModel {
  readonly model: LoadedModel;
  readonly engine: Engine;
  /** Why preferred engines were skipped; null if none was. */
  readonly reason: string | null;
}

/**
 * How an engine earns trust with a model: its result for test data must be that of the CPU.
 *
 * `Outcome` is what the program has to know about the model, such as its scale; `Result` is what is compared.
 */
export interface Trial<Outcome, Result> {
  /** Runs the model on a tiny input. @throws EngineError if the model is not suitable */
  readonly judge: (model: LoadedModel) => Promise<Outcome>;
  /** Runs the test data on the engine whose result is right. */
  readonly runReference: (model: LoadedModel, outcome: Outcome) => Promise<Result>;
  /** Runs the test data that the reference has accepted. */
  readonly run: (model: LoadedModel, outcome: Outcome, expected: Result) => Promise<Result>;
  /** Milliseconds per pixel. An input is `large` enough to tell which engine is faster, or `small` to take little time. */
  readonly measure: (model: LoadedModel, outcome: Outcome, size: 'small' | 'large') => Promise<number>;
  /** How a result differs from that of the CPU, as a clause; null if it is the same up to rounding. */
  readonly whyNotEqual: (found: Result, expected: Result) => string | null;
}

/** With a small input, a GPU is mostly idle. One that is slower than the CPU by this factor is not faster with any input. */
const FAR_SLOWER = 10;

/** Maximum difference of components in 0..1; half precision and rounding stay below it, a wrong pixel does not. */
const MAX_DIFFERENCE = 0.05;

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
  const image = trialImage(shape);
  const run = (model: LoadedModel) => model.run(image);
  return chooseEngine(onnx, device, engines, options, () => ({
    judge: async (model) => judge(await run(model)),
    run,
    runReference: run,
    measure: async (model) => (await fastestRun(() => run(model))) / (shape[2] * shape[3]),
    whyNotEqual: (found, expected) =>
      areNear(found, expected) ? null : 'the result for the test image differs from that of the CPU',
  }));
}

/**
 * Loads a model on the first engine that can run it and passes its trial. The result of the trial is compared with that
 * of the last engine, which runs on the CPU.
 *
 * @param engines in the order of preference
 * @throws EngineError if no engine can run it, or GpuUnavailableError if no GPU can and the device is `gpu-only`; the message
 *   lists the reason of each engine
 */
export async function chooseEngine<Outcome, Result>(
  onnx: Uint8Array,
  device: Device,
  engines: readonly Engine[],
  options: LoadOptions,
  trialFor: (engine: Engine) => Trial<Outcome, Result>,
): Promise<ChosenModel & { readonly outcome: Outcome }> {
  const reasons: string[] = [];
  if (device !== 'cpu' && !engines.some((engine) => engine.device === 'gpu'))
    reasons.push('no GPU engine is installed');
  for (const engine of engines) {
    if (!allows(device, engine)) continue;
    if (engine.isFor?.(options) === false) {
      if (engine.device === 'gpu') reasons.push(`${engine.name}: this job does not use it`);
      continue;
    }
    try {
      let model = await engine.load(onnx, options);
      try {
        const trial = trialFor(engine);
        const outcome = await trial.judge(model);
        const isMeasured = engine.mustBeatCpu === true && options.webGpu === 'undecided';
        const rival = isMeasured ? () => chooseEngine(onnx, 'cpu', engines, options, trialFor) : null;
        const msPerPixel = (size: 'small' | 'large') => trial.measure(model, outcome, size);
        // Before the trial, which would take a driver that computes on the CPU half an hour.
        if (rival !== null) await assertFaster(msPerPixel, await rival(), trialFor, 'small');
        const reference = engines.findLast(({ device: on }) => on === 'cpu');
        if (reference !== undefined && reference !== engine) {
          const expected = await runReference(onnx, reference, options, trial, outcome);
          const whyWrong = async () => trial.whyNotEqual(await trial.run(model, outcome, expected), expected);
          let why = await whyWrong();
          if (why !== null && model.hasPlainKernels === true) {
            await model.dispose();
            model = await engine.load(onnx, { ...options, plainKernels: true });
            why = await whyWrong();
          }
          if (why !== null) throw new EngineError('ENGINE_FAILED', why);
        }
        if (rival !== null) await assertFaster(msPerPixel, await rival(), trialFor, 'large');
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

/** @throws EngineError if the model is as fast on the CPU, or with a small input far faster */
async function assertFaster<Outcome, Result>(
  measure: (size: 'small' | 'large') => Promise<number>,
  cpu: ChosenModel & { readonly outcome: Outcome },
  trialFor: (engine: Engine) => Trial<Outcome, Result>,
  size: 'small' | 'large',
): Promise<void> {
  try {
    const msPerPixel = await measure(size);
    const msOnCpu = await trialFor(cpu.engine).measure(cpu.model, cpu.outcome, size);
    if (msPerPixel < (size === 'small' ? FAR_SLOWER * msOnCpu : msOnCpu)) return;
    const [found, other] = [msPerPixel, msOnCpu].map((ms) => (ms * 1000).toPrecision(2));
    const why = `it is not faster than ${cpu.engine.name} (${found} seconds per megapixel, compared with ${other})`;
    throw new EngineError('ENGINE_UNAVAILABLE', why);
  } finally {
    await cpu.model.dispose();
  }
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

async function runReference<Outcome, Result>(
  onnx: Uint8Array,
  reference: Engine,
  options: LoadOptions,
  trial: Trial<Outcome, Result>,
  outcome: Outcome,
): Promise<Result> {
  try {
    const model = await reference.load(onnx, options);
    try {
      return await trial.runReference(model, outcome);
    } finally {
      await model.dispose();
    }
  } catch (error) {
    const why = `cannot compare its result with that of ${reference.name}: ${toError(error).message}`;
    throw new EngineError('ENGINE_FAILED', why, { cause: error });
  }
}

function areNear(found: readonly ModelOutput[], expected: readonly ModelOutput[]): boolean {
  return (
    found.length === expected.length &&
    found.every(({ data }, i) => isNear(data, expected[i]?.data ?? new Float32Array(0)))
  );
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
  const [batch, channels, height, width] = shape;
  const data = Float32Array.from({ length: batch * channels * height * width }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width) % height];
    const color = Math.floor(i / (width * height));
    return 0.5 + 0.45 * Math.sin(0.11 * x * (y + 1) + color) * Math.cos(0.07 * y * y - 0.5 * x);
  });
  return { data, shape };
}
