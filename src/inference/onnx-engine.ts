import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { InferenceSession, listSupportedBackends, Tensor as OnnxTensor } from 'onnxruntime-node';
import { EngineError, toError } from '../domain/errors.ts';
import type { Engine, LoadedModel, LoadOptions, ModelOutput, Tensor } from './engine.ts';

export type OnnxProvider = 'cpu' | 'cuda' | 'tensorrt' | 'webgpu';

const NAMES: Readonly<Record<OnnxProvider, string>> = {
  cpu: 'onnxruntime on the CPU',
  cuda: 'onnxruntime with CUDA',
  tensorrt: 'onnxruntime with TensorRT',
  webgpu: 'onnxruntime with WebGPU',
};

/**
 * The execution providers whose libraries are installed, the fastest first. They may still fail without a GPU or driver.
 * onnxruntime's own list is not used because it contains GPU providers whose libraries are missing.
 */
export function installedProviders(): OnnxProvider[] {
  const bin = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '../bin');
  const platform = join(process.platform, process.arch);
  const libraries = readdirSync(bin).flatMap((api) => readdirOrNone(join(bin, api, platform)));
  const gpu = (['tensorrt', 'cuda'] as const).filter((name) =>
    libraries.includes(`libonnxruntime_providers_${name}.so`),
  );
  return [...gpu, 'cpu'];
}

/** Whether this platform's onnxruntime has WebGPU built in. */
export function hasWebGpu(): boolean {
  return listSupportedBackends().some(({ name, bundled }) => name === 'webgpu' && bundled);
}

function readdirOrNone(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}

/** onnxruntime with one of its execution providers. `run` blocks the event loop, so use it on a separate thread. */
export function createOnnxEngine(provider: OnnxProvider): Engine {
  return {
    name: NAMES[provider],
    device: provider === 'cpu' ? 'cpu' : 'gpu',
    async load(model, options) {
      try {
        const session = await InferenceSession.create(model, sessionOptions(provider, options));
        return new OnnxModel(session, provider === 'cpu' || provider === 'webgpu' ? 1 : GPU_BATCH);
      } catch (caught) {
        const message = toError(caught).message;
        if (isOutOfMemory(message)) throw new EngineError('OUT_OF_MEMORY', message, { cause: caught });
        throw new EngineError('ENGINE_UNAVAILABLE', `cannot load the model: ${message}`, {
          cause: caught,
        });
      }
    },
  };
}

function sessionOptions(provider: OnnxProvider, { threads }: LoadOptions): InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    logSeverityLevel: 3,
    // Memory patterns only help with the first shape; without them a pixel needs 1.4 kB instead of 2.0.
    enableMemPattern: false,
    ...(threads > 0 ? { intraOpNumThreads: threads } : {}),
  };
}

/** Maximum batch size on a GPU, which a single small image does not keep busy. */
const GPU_BATCH = 8;

/** What fails is thrown as well; some models are run with images that they may not take. */
const QUIET: InferenceSession.RunOptions = { logSeverityLevel: 4 };

class OnnxModel implements LoadedModel {
  readonly maxBatch: number;
  readonly #session: InferenceSession;
  readonly #input: string;
  #released = false;

  /** @param maxBatch 1 on the CPU, where batches are no faster: 275 to 340 ms per 64x64 image in batches of 4 and 8, 290 alone */
  constructor(session: InferenceSession, maxBatch: number) {
    this.maxBatch = maxBatch;
    this.#session = session;
    const [input, secondInput] = session.inputNames;
    if (input === undefined || secondInput !== undefined)
      throw new TypeError('The model does not have exactly one input.');
    this.#input = input;
  }

  async run({ data, shape }: Tensor): Promise<ModelOutput[]> {
    try {
      const input = new OnnxTensor('float32', data, shape);
      const results = await this.#session.run({ [this.#input]: input }, QUIET);
      return this.#session.outputNames.map((name) => asOutput(name, results[name]));
    } catch (caught) {
      if (caught instanceof EngineError) throw caught;
      const message = toError(caught).message;
      const code = isOutOfMemory(message) ? 'OUT_OF_MEMORY' : 'ENGINE_FAILED';
      throw new EngineError(code, `onnxruntime failed on a ${shape[3]}x${shape[2]} image: ${message}`, {
        cause: caught,
      });
    }
  }

  async dispose(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#session.release();
  }
}

function asOutput(name: string, result: OnnxTensor | undefined): ModelOutput {
  if (result?.data instanceof Float32Array) return { name, data: result.data, shape: result.dims };
  const found = result === undefined ? 'nothing' : `${result.type} of ${result.dims.join('x')}`;
  throw new EngineError(
    'ENGINE_FAILED',
    `The model returned ${found} for ${name} instead of float32 numbers.`,
  );
}

/** onnxruntime has no error code for this; these are the messages of its allocators. */
function isOutOfMemory(message: string): boolean {
  return /bad_alloc|out of memory|failed to allocate|Failed to allocate memory|CUDA_ERROR_OUT_OF_MEMORY/i.test(
    message,
  );
}
