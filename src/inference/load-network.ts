import { EngineError, toError } from '../domain/errors.ts';
import type { Device } from '../domain/recipe.ts';
import type { Engine, LoadedNetwork, LoadOptions, NetworkOutput, Tensor } from './engine.ts';
import { onlyPicture } from './only-picture.ts';

/** A network on the engine that was chosen for it. */
export interface ChosenNetwork {
  readonly network: LoadedNetwork;
  readonly engine: Engine;
  /** Why the engine is not a better one, in a sentence; null where nothing was stepped over. */
  readonly reason: string | null;
}

export interface ReadyNetwork extends ChosenNetwork {
  /** How many output pixels a source pixel becomes, along one edge. */
  readonly scale: number;
}

/** Larger than any kernel, small enough for any memory. */
const TRIAL_EDGE = 16;

/** Of components in 0..1: what half precision and a card's own rounding may cost, and no wrong pixel. */
const LARGEST_DIFFERENCE = 0.05;

/**
 * Loads a network that enlarges pictures on the first engine that really runs it: each is tried on a tiny picture
 * before it is trusted (D2), and a GPU's picture is compared with the CPU's.
 *
 * @param engines in the order of preference
 * @throws EngineError when none runs it; the sentence has every engine's reason
 */
export async function loadNetwork(
  model: Uint8Array,
  device: Device,
  engines: readonly Engine[],
  options: LoadOptions,
): Promise<ReadyNetwork> {
  const picture = trialPicture([1, 3, TRIAL_EDGE, TRIAL_EDGE]);
  const { outcome: scale, ...chosen } = await chooseEngine(model, device, engines, options, picture, scaleOf);
  return { ...chosen, scale };
}

/**
 * Loads a network of any outputs, such as a detector, on the first engine that really runs it.
 *
 * @param shape of its input; the trial's numbers are in 0..1
 * @param judge says what the outputs of the trial tell, or throws where they are not those of such a network
 * @throws EngineError as `loadNetwork`
 */
export function loadAnalyser<Outcome>(
  model: Uint8Array,
  device: Device,
  engines: readonly Engine[],
  options: LoadOptions,
  shape: Tensor['shape'],
  judge: (outputs: readonly NetworkOutput[]) => Outcome,
): Promise<ChosenNetwork & { readonly outcome: Outcome }> {
  return chooseEngine(model, device, engines, options, trialPicture(shape), judge);
}

async function chooseEngine<Outcome>(
  model: Uint8Array,
  device: Device,
  engines: readonly Engine[],
  options: LoadOptions,
  picture: Tensor,
  judge: (outputs: readonly NetworkOutput[]) => Outcome,
): Promise<ChosenNetwork & { readonly outcome: Outcome }> {
  const reasons: string[] = [];
  if (device !== 'cpu' && !engines.some((engine) => engine.device === 'gpu'))
    reasons.push('no GPU engine is installed');
  for (const engine of engines) {
    if (device === 'cpu' && engine.device === 'gpu') continue;
    try {
      const network = await engine.load(model, options);
      try {
        const outputs = await network.run(picture);
        const outcome = judge(outputs);
        validateLikeOnCpu(outputs, await runOnCpu(model, engine, engines, options, picture));
        return { network, engine, reason: reasons.length === 0 ? null : reasons.join('; '), outcome };
      } catch (error) {
        await network.dispose();
        throw error;
      }
    } catch (error) {
      reasons.push(`${engine.name}: ${toError(error).message}`);
    }
  }
  throw new EngineError('ENGINE_UNAVAILABLE', `No engine runs the network (${reasons.join('; ')}).`);
}

/** What the CPU makes of the trial, to hold a GPU against; null where there is nothing to compare with. */
async function runOnCpu(
  model: Uint8Array,
  engine: Engine,
  engines: readonly Engine[],
  options: LoadOptions,
  picture: Tensor,
): Promise<readonly NetworkOutput[] | null> {
  const cpu = engines.find(({ device }) => device === 'cpu');
  if (engine.device === 'cpu' || cpu === undefined) return null;
  const network = await cpu.load(model, options);
  try {
    return await network.run(picture);
  } finally {
    await network.dispose();
  }
}

/** The scale at which a network made a larger picture of the trial. */
function scaleOf(outputs: readonly NetworkOutput[]): number {
  const { shape } = onlyPicture(outputs);
  const scale = shape[3] / TRIAL_EDGE;
  if (shape[0] === 1 && shape[1] === 3 && shape[2] === shape[3] && scale >= 1 && Number.isInteger(scale))
    return scale;
  const what = `a 1x3x${TRIAL_EDGE}x${TRIAL_EDGE} picture became ${shape.join('x')}`;
  throw new EngineError('ENGINE_FAILED', what);
}

function validateLikeOnCpu(
  outputs: readonly NetworkOutput[],
  expected: readonly NetworkOutput[] | null,
): void {
  const isAsExpected =
    expected === null ||
    (outputs.length === expected.length &&
      outputs.every(({ data }, i) => isNear(data, expected[i]?.data ?? new Float32Array(0))));
  if (!isAsExpected)
    throw new EngineError('ENGINE_FAILED', 'its picture of a trial differs from the one that the CPU makes');
}

/** Pictures are in 0..1; what reaches farther may differ in proportion. */
function isNear(found: Float32Array, expected: Float32Array): boolean {
  const largest = expected.reduce((soFar, value) => Math.max(soFar, Math.abs(value)), 1);
  return (
    found.length === expected.length &&
    found.every((value, i) => Math.abs(value - (expected[i] ?? NaN)) <= LARGEST_DIFFERENCE * largest)
  );
}

/** Waves of all directions and lengths, so that every weight has something to do. */
function trialPicture(shape: Tensor['shape']): Tensor {
  const [, channels, height, width] = shape;
  const data = Float32Array.from({ length: channels * height * width }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width) % height];
    const color = Math.floor(i / (width * height));
    return 0.5 + 0.45 * Math.sin(0.11 * x * (y + 1) + color) * Math.cos(0.07 * y * y - 0.5 * x);
  });
  return { data, shape };
}
