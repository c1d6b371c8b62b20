import { mayUseSoftwareAdapters } from '../../config/environment.ts';
import { EngineError } from '../../domain/errors.ts';
import type { Engine, LoadedModel, LoadOptions, ModelOutput, Tensor } from '../engine.ts';
import { createOnnxEngine } from '../onnx-engine.ts';
import { findAdapter, type FoundAdapter } from './find-adapter.ts';

const NAME = 'onnxruntime with WebGPU';
/** Less than the smallest `engine.stallSeconds`. */
const WAIT_MS = 500;

/**
 * onnxruntime with WebGPU, which runs on the Vulkan driver of any GPU. `run` blocks the event loop, so use it on a separate
 * thread.
 *
 * @param find asked once, when the first model is loaded
 */
export function createWebGpuEngine(find: () => Promise<FoundAdapter> = findAdapter): Engine {
  const engine = createOnnxEngine('webgpu');
  let found: Promise<FoundAdapter> | null = null;
  return {
    name: NAME,
    device: 'gpu',
    mustBeatCpu: !mayUseSoftwareAdapters(),
    isFor: ({ webGpu }) => webGpu === 'undecided' || webGpu === 'used',
    async load(model, options) {
      const { adapter, reason } = await waitFor((found ??= find()), options.onWait);
      if (adapter === null) throw new EngineError('ENGINE_UNAVAILABLE', reason);
      return new WebGpuModel(await engine.load(model, options), adapter.name);
    },
  };
}

/** The search for an adapter may take longer than the watchdog of the inference thread allows. */
async function waitFor<T>(promise: Promise<T>, onWait: LoadOptions['onWait']): Promise<T> {
  const timer = setInterval(() => onWait?.(), WAIT_MS);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}

export function isWebGpu({ name }: Pick<Engine, 'name'>): boolean {
  return name === NAME;
}

class WebGpuModel implements LoadedModel {
  readonly detail: string;
  readonly #model: LoadedModel;

  constructor(model: LoadedModel, adapter: string) {
    this.detail = adapter;
    this.#model = model;
  }

  /** A model that has passed its trial fails because of its GPU: the job continues on the next engine. */
  async run(input: Tensor): Promise<readonly ModelOutput[]> {
    try {
      return await this.#model.run(input);
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'ENGINE_FAILED') throw error;
      throw new EngineError('DEVICE_LOST', error.message, { cause: error });
    }
  }

  dispose(): Promise<void> {
    return this.#model.dispose();
  }
}
