import { createRequire } from 'node:module';
import { EngineError, toError } from '../domain/errors.ts';
import type { Engine, FrameToUpscale, LoadedModel, ModelOutput, Tensor } from './engine.ts';
import { findAddon } from './find-addon.ts';
import { decodeModel } from './models/onnx-model.ts';
import { compilePlan } from './plan/compile-plan.ts';

/** What native-cuda/addon/addon.cc exports; rejections have a `code`. */
export interface NativeAddon {
  describeDevices(): {
    readonly devices: readonly GpuDevice[];
    readonly reason: string | null;
    /** The version of CUDA that the addon was built with, such as `12.9`. */
    readonly cudaVersion: string;
  };
  /** @param plain only with kernels that every GPU has */
  load(plan: Uint8Array, device: number, plain?: boolean): Promise<NativeModel>;
}

export interface GpuDevice {
  readonly index: number;
  readonly name: string;
  /** Such as `8.9`. */
  readonly computeCapability: string;
  /** The newest CUDA that the driver can run. */
  readonly driverVersion: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

interface NativeModel {
  run(
    data: Float32Array,
    channels: number,
    height: number,
    width: number,
  ): Promise<readonly { readonly data: Float32Array; readonly shape: readonly number[] }[]>;
  upscale(
    pixels: Uint8Array,
    width: number,
    height: number,
    bytesPerComponent: 1 | 2,
    tile: number,
    overlap: number,
  ): Promise<Uint8Array>;
  dispose(): void;
}

/** The first GPU; to use another one, set CUDA_VISIBLE_DEVICES. */
const DEVICE = 0;
const NAME = 'Framekiln CUDA engine';

/** Path of the addon, prebuilt or built here; null if there is none. */
export function addonPath(): string | null {
  return findAddon('cuda');
}

/** Loads the addon, which works without a GPU and without a driver. @throws EngineError ENGINE_UNAVAILABLE */
export function loadAddon(path = addonPath()): NativeAddon {
  if (path === null) throw new EngineError('ENGINE_UNAVAILABLE', 'the CUDA addon is not installed');
  try {
    return createRequire(import.meta.url)(path) as NativeAddon;
  } catch (error) {
    throw new EngineError(
      'ENGINE_UNAVAILABLE',
      `the CUDA addon cannot be loaded: ${toError(error).message}`,
      {
        cause: error,
      },
    );
  }
}

/** The engine with our own CUDA kernels. It runs several requests at once without blocking the event loop. */
export function createCudaEngine(addon: () => NativeAddon = loadAddon): Engine {
  return {
    name: NAME,
    device: 'gpu',
    async load(model, { plainKernels = false }) {
      const plan = compilePlan(model, 'float16', 'The model');
      const outputs = decodeModel(model, 'The model').graph.output.map(({ name }) => name);
      try {
        const native = await addon().load(plan, DEVICE, plainKernels);
        const { devices } = addon().describeDevices();
        const hasWgmma = devices.find(({ index }) => index === DEVICE)?.computeCapability === '9.0';
        return new CudaModel(native, outputs, hasWgmma ? { plainKernels } : null);
      } catch (error) {
        throw toEngineError(error, 'ENGINE_UNAVAILABLE');
      }
    },
  };
}

class CudaModel implements LoadedModel {
  readonly concurrency = 3;
  readonly hasPlainKernels: boolean;
  readonly detail?: string;
  readonly #model: NativeModel;
  /** Names of the outputs, in the order of the file and of the model plan. */
  readonly #names: readonly string[];

  /** @param wgmma whether the model does without Hopper's instruction; null on other GPUs */
  constructor(model: NativeModel, names: readonly string[], wgmma: { plainKernels: boolean } | null) {
    this.#model = model;
    this.#names = names;
    this.hasPlainKernels = wgmma?.plainKernels === false;
    if (wgmma?.plainKernels === true) this.detail = 'without wgmma';
  }

  async run({ data, shape }: Tensor): Promise<ModelOutput[]> {
    const [batch, channels, height, width] = shape;
    if (batch !== 1) throw new EngineError('ENGINE_FAILED', `${NAME} accepts one image at a time.`);
    const outputs = await watched(this.#model.run(data, channels, height, width), width * height);
    return outputs.map((output, i) => ({ ...output, name: this.#names[i] ?? '' }));
  }

  async upscale({
    pixels,
    width,
    height,
    bytesPerComponent,
    tile,
    overlap,
  }: FrameToUpscale): Promise<Buffer> {
    const run = this.#model.upscale(pixels, width, height, bytesPerComponent, tile ?? 0, overlap);
    const upscaled = await watched(run, width * height);
    return Buffer.from(upscaled.buffer, upscaled.byteOffset, upscaled.byteLength);
  }

  dispose(): Promise<void> {
    this.#model.dispose();
    return Promise.resolve();
  }
}

/** A GPU that takes longer hangs: the largest model on the slowest GPU takes a tenth of this. */
const TIMEOUT_MS = 120_000;
const TIMEOUT_PER_MEGAPIXEL_MS = 120_000;

async function watched<T>(run: Promise<T>, pixels: number): Promise<T> {
  const limit = TIMEOUT_MS + (TIMEOUT_PER_MEGAPIXEL_MS * pixels) / 1e6;
  let timer: NodeJS.Timeout | undefined;
  const hung = new Promise<never>((_, reject) => {
    const seconds = Math.round(limit / 1000);
    const error = new EngineError('DEVICE_LOST', `${NAME} has not responded for ${seconds} s.`);
    timer = setTimeout(() => reject(error), limit);
  });
  try {
    return await Promise.race([run, hung]);
  } catch (error) {
    throw toEngineError(error, 'ENGINE_FAILED');
  } finally {
    clearTimeout(timer);
  }
}

function toEngineError(caught: unknown, otherwise: 'ENGINE_UNAVAILABLE' | 'ENGINE_FAILED'): EngineError {
  if (caught instanceof EngineError) return caught;
  const error = toError(caught);
  const code = 'code' in error ? error.code : null;
  const known = code === 'OUT_OF_MEMORY' || code === 'DEVICE_LOST' ? code : otherwise;
  return new EngineError(known, error.message, { cause: caught });
}
