import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { instructionSet } from '../config/environment.ts';
import { EngineError, toError } from '../domain/errors.ts';
import type { Precision } from '../domain/job.ts';
import type { YuvConversion } from '../domain/yuv-conversion.ts';
import type { Engine, LoadedModel, ModelOutput, Tensor, WindowToUpscale } from './engine.ts';
import { findAddon } from './find-addon.ts';
import { decodeModel } from './models/onnx-model.ts';
import { compilePlan } from './plan/compile-plan.ts';

/** What native-cpu/addon/addon.cc exports; rejections have a `code`. */
export interface CpuAddon {
  /** The instruction sets of this machine, the best first. */
  instructionSets(): readonly string[];
  /** @param threads 0: one per core @param instructionSet empty: the best one */
  load(plan: Uint8Array, threads: number, instructionSet: string, precision: Precision): Promise<CpuModel>;
  /** Converts packed RGB to planar YUV; 16-bit components begin at even addresses. Absent in older versions. */
  convertToYuv?(
    frame: Uint8Array,
    conversion: YuvConversion,
    instructionSet: string,
    target: Uint8Array,
  ): Promise<void>;
}

interface CpuModel {
  readonly instructionSet: string;
  readonly threads: number;
  readonly scale: number;
  run(data: Float32Array, height: number, width: number): Promise<Float32Array>;
  upscale(
    frame: Uint8Array,
    width: number,
    height: number,
    bytesPerComponent: 1 | 2,
    window: readonly number[],
    core: readonly number[],
    target: Uint8Array,
  ): Promise<void>;
  dispose(): void;
}

const NAME = 'Framekiln CPU engine';

/** Whether the CPU addon is there, prebuilt or built here. */
export function isCpuAddonBuilt(path = findAddon('cpu')): path is string {
  return path !== null && existsSync(path);
}

/**
 * Loads the CPU addon, which runs on every processor of its architecture.
 *
 * @throws EngineError ENGINE_UNAVAILABLE
 */
export function loadCpuAddon(path = findAddon('cpu')): CpuAddon {
  if (!isCpuAddonBuilt(path)) throw new EngineError('ENGINE_UNAVAILABLE', 'the CPU addon is not installed');
  try {
    return createRequire(import.meta.url)(path) as CpuAddon;
  } catch (error) {
    throw new EngineError('ENGINE_UNAVAILABLE', `the CPU addon cannot be loaded: ${toError(error).message}`, {
      cause: error,
    });
  }
}

/** The instruction sets that the CPU engine can use here, the best first, or the reason why it cannot be used. */
export function describeCpuEngine(path = findAddon('cpu')): {
  readonly instructionSets: readonly string[];
  readonly reason: string | null;
} {
  try {
    return { instructionSets: loadCpuAddon(path).instructionSets(), reason: null };
  } catch (error) {
    return { instructionSets: [], reason: toError(error).message };
  }
}

/**
 * The engine with our own CPU kernels. It only runs models that upscale images, and only for jobs that name a precision:
 * a job that began with another engine ends with it.
 */
export function createCpuEngine(addon: () => CpuAddon = loadCpuAddon, isa = instructionSet()): Engine {
  return {
    name: NAME,
    device: 'cpu',
    isFor: ({ precision }) => precision !== undefined,
    async load(model, { threads, precision = 'exact' }) {
      const plan = compilePlan(model, 'float32', 'The model');
      const [output] = decodeModel(model, 'The model').graph.output;
      try {
        return new LoadedCpuModel(
          await addon().load(plan, threads, isa, precision),
          output?.name ?? '',
          precision,
        );
      } catch (error) {
        throw toEngineError(error, 'ENGINE_UNAVAILABLE');
      }
    },
  };
}

class LoadedCpuModel implements LoadedModel {
  /** The second frame waits in the addon until the first is done, so that the engine never waits for the caller. */
  readonly concurrency = 2;
  readonly detail: string;
  readonly #model: CpuModel;
  readonly #output: string;

  constructor(model: CpuModel, output: string, precision: Precision) {
    this.detail = `${precision}, ${model.instructionSet}`;
    this.#model = model;
    this.#output = output;
  }

  async run({ data, shape: [batch, , height, width] }: Tensor): Promise<ModelOutput[]> {
    if (batch !== 1) throw new EngineError('ENGINE_FAILED', `${NAME} accepts one image at a time.`);
    const { scale } = this.#model;
    try {
      const upscaled = await this.#model.run(data, height, width);
      return [{ name: this.#output, data: upscaled, shape: [1, 3, height * scale, width * scale] }];
    } catch (error) {
      throw toEngineError(error, 'ENGINE_FAILED');
    }
  }

  async upscaleWindow({ frame, target, window, core, ...size }: WindowToUpscale): Promise<void> {
    const { width, height, bytesPerComponent } = size;
    const [seen, kept] = [window, core].map((area) => [area.x, area.y, area.width, area.height]);
    try {
      await this.#model.upscale(frame, width, height, bytesPerComponent, seen ?? [], kept ?? [], target);
    } catch (error) {
      throw toEngineError(error, 'ENGINE_FAILED');
    }
  }

  dispose(): Promise<void> {
    this.#model.dispose();
    return Promise.resolve();
  }
}

function toEngineError(caught: unknown, otherwise: 'ENGINE_UNAVAILABLE' | 'ENGINE_FAILED'): EngineError {
  if (caught instanceof EngineError) return caught;
  const error = toError(caught);
  const isMemory = 'code' in error && error.code === 'OUT_OF_MEMORY';
  return new EngineError(isMemory ? 'OUT_OF_MEMORY' : otherwise, error.message, { cause: caught });
}
