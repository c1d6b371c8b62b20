import { EngineError, toError } from '../domain/errors.ts';
import type { Device } from '../domain/recipe.ts';
import type { Engine, LoadedNetwork, LoadOptions, Tensor } from './engine.ts';

export interface ReadyNetwork {
  readonly network: LoadedNetwork;
  readonly engine: Engine;
  /** How many output pixels a source pixel becomes, along one edge. */
  readonly scale: number;
  /** Why the engine is not a better one, in a sentence; null where nothing was stepped over. */
  readonly reason: string | null;
}

/** Larger than any kernel, small enough for any memory. */
const TRIAL_EDGE = 16;

/** Of components in 0..1: what half precision and a card's own rounding may cost, and no wrong pixel. */
const LARGEST_DIFFERENCE = 0.05;

/**
 * Loads a network on the first engine that really runs it: each is tried on a tiny picture before it is trusted (D2),
 * and a GPU's picture is compared with the CPU's.
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
  const reasons: string[] = [];
  if (device !== 'cpu' && !engines.some((engine) => engine.device === 'gpu'))
    reasons.push('no GPU engine is installed');
  for (const engine of engines) {
    if (device === 'cpu' && engine.device === 'gpu') continue;
    try {
      const network = await engine.load(model, options);
      const scale = await tryOut(network, () => expectedOf(model, engine, engines, options)).catch(
        async (error: unknown) => {
          await network.dispose();
          throw error;
        },
      );
      return { network, engine, scale, reason: reasons.length === 0 ? null : reasons.join('; ') };
    } catch (error) {
      reasons.push(`${engine.name}: ${toError(error).message}`);
    }
  }
  throw new EngineError('ENGINE_UNAVAILABLE', `No engine runs the network (${reasons.join('; ')}).`);
}

/** The trial picture as the CPU enlarges it, to hold a GPU against; null where there is nothing to compare with. */
async function expectedOf(
  model: Uint8Array,
  engine: Engine,
  engines: readonly Engine[],
  options: LoadOptions,
): Promise<Tensor | null> {
  const cpu = engines.find(({ device }) => device === 'cpu');
  if (engine.device === 'cpu' || cpu === undefined) return null;
  const network = await cpu.load(model, options);
  try {
    return await network.run(trialPicture());
  } finally {
    await network.dispose();
  }
}

/** The scale of a network that works. */
async function tryOut(network: LoadedNetwork, expect: () => Promise<Tensor | null>): Promise<number> {
  const picture = trialPicture();
  const { data, shape } = await network.run(picture);
  const scale = shape[3] / TRIAL_EDGE;
  if (shape[0] !== 1 || shape[1] !== 3 || shape[2] !== shape[3] || scale < 1 || !Number.isInteger(scale))
    throw new EngineError('ENGINE_FAILED', `a ${picture.shape.join('x')} picture became ${shape.join('x')}`);
  const expected = await expect();
  const isAsExpected =
    expected === null ||
    data.every((value, i) => Math.abs(value - (expected.data[i] ?? NaN)) <= LARGEST_DIFFERENCE);
  if (isAsExpected) return scale;
  throw new EngineError('ENGINE_FAILED', 'its picture of a trial differs from the one that the CPU makes');
}

/** Waves of all directions and lengths, so that every weight has something to do. */
function trialPicture(): Tensor {
  const plane = TRIAL_EDGE * TRIAL_EDGE;
  const data = Float32Array.from({ length: 3 * plane }, (_, i) => {
    const [x, y, color] = [i % TRIAL_EDGE, Math.floor((i % plane) / TRIAL_EDGE), Math.floor(i / plane)];
    return 0.5 + 0.45 * Math.sin(0.11 * x * (y + 1) + color) * Math.cos(0.07 * y * y - 0.5 * x);
  });
  return { data, shape: [1, 3, TRIAL_EDGE, TRIAL_EDGE] };
}
