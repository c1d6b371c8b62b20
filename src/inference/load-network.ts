import { EngineError, toError } from '../domain/errors.ts';
import type { Device } from '../domain/recipe.ts';
import type { Engine, LoadedNetwork, LoadOptions } from './engine.ts';

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

/**
 * Loads a network on the first engine that really runs it: each is tried on a tiny picture before it is trusted (D2).
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
      const scale = await tryOut(network).catch(async (error: unknown) => {
        await network.dispose();
        throw error;
      });
      return { network, engine, scale, reason: reasons.length === 0 ? null : reasons.join('; ') };
    } catch (error) {
      reasons.push(`${engine.name}: ${toError(error).message}`);
    }
  }
  throw new EngineError('ENGINE_UNAVAILABLE', `No engine runs the network (${reasons.join('; ')}).`);
}

async function tryOut(network: LoadedNetwork): Promise<number> {
  const shape = [1, 3, TRIAL_EDGE, TRIAL_EDGE] as const;
  const { shape: found } = await network.run({ data: new Float32Array(3 * TRIAL_EDGE * TRIAL_EDGE), shape });
  const scale = found[3] / TRIAL_EDGE;
  if (found[0] === 1 && found[1] === 3 && found[2] === found[3] && scale >= 1 && Number.isInteger(scale))
    return scale;
  throw new EngineError('ENGINE_FAILED', `a ${shape.join('x')} picture became ${found.join('x')}`);
}
