import type { Precision, WebGpuUse } from '../domain/job.ts';

/** A dense float32 tensor in NCHW order. */
export interface Tensor {
  readonly data: Float32Array;
  /** [batch, channels, height, width] */
  readonly shape: readonly [number, number, number, number];
}

/** One result of a model. */
export interface ModelOutput {
  /** Name of the output in the ONNX file. */
  readonly name: string;
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

export interface LoadOptions {
  /** Threads of one operator; 0: one per core. */
  readonly threads: number;
  /** How exactly the native CPU engine computes; absent: that engine is not used. */
  readonly precision?: Precision | undefined;
  /** Whether WebGPU is used; `undecided`: if it is faster than the CPU. Absent: it is not. */
  readonly webGpu?: WebGpuUse | undefined;
  /** Only with kernels that every GPU has; absent: also with those of the newest instructions that the GPU has. */
  readonly plainKernels?: boolean | undefined;
  /** Called now and then while the engine waits for another process. */
  readonly onWait?: (() => void) | undefined;
}

/** A frame of packed RGB for an engine that does conversion and tiling itself. */
export interface FrameToUpscale {
  /** Must not be modified before the promise has settled. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** 16-bit components are little-endian. */
  readonly bytesPerComponent: 1 | 2;
  /** Edge of a tile's core in pixels; null: as large as memory allows. */
  readonly tile: number | null;
  /** Pixels around a core that affect its result. */
  readonly overlap: number;
}

/** A rectangle in pixels. */
interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A part of a frame of packed RGB, for an engine that does the conversion itself. */
export interface WindowToUpscale {
  /** The whole frame, of `width` by `height` pixels. Must not be modified before the promise has settled. */
  readonly frame: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** 16-bit components are little-endian. */
  readonly bytesPerComponent: 1 | 2;
  /** What the model sees. */
  readonly window: Area;
  /** The part of the window whose result is kept. */
  readonly core: Area;
  /** The whole upscaled frame; receives the pixels of the core. */
  readonly target: Uint8Array;
}

/** A model that is ready to run on some device. */
export interface LoadedModel {
  /**
   * Runs the model on one tensor and returns new tensors in the order of the file. The input must not be modified before
   * the promise has settled.
   *
   * @throws EngineError OUT_OF_MEMORY if a smaller input may succeed, DEVICE_LOST if no further run will succeed,
   *   otherwise ENGINE_FAILED
   */
  run(input: Tensor): Promise<readonly ModelOutput[]>;
  /**
   * Upscales a whole frame of packed RGB; rejects like `run`. If it is absent, the caller does conversion and tiling. Up to
   * `concurrency` frames may be in progress at once.
   */
  upscale?(frame: FrameToUpscale): Promise<Buffer>;
  readonly concurrency?: number;
  /** Whether the engine can also load the model with `plainKernels`, which is tried if a result is wrong; absent: no. */
  readonly hasPlainKernels?: boolean;
  /** How the model runs, for the log, such as `fast, avx512-vnni`. */
  readonly detail?: string;
  /** Which images the model itself takes, for the log, such as `multiples of 16 pixels`; absent: those of any size. */
  readonly sizes?: string;
  /** Upscales a part of a frame in place; rejects like `run`. If it is absent, the caller converts pixels to tensors. */
  upscaleWindow?(window: WindowToUpscale): Promise<void>;
  /** Maximum number of images in one tensor (its first dimension) for `run`; absent: one. */
  readonly maxBatch?: number;
  /** Frees the model's memory. May be called twice. */
  dispose(): Promise<void>;
}

/** Executes models on one device. */
export interface Engine {
  /** For the log, such as `onnxruntime on the CPU`. */
  readonly name: string;
  readonly device: 'cpu' | 'gpu';
  /** Whether a job may only choose it if it is faster than the engine that the CPU would use; absent: it is expected to be. */
  readonly mustBeatCpu?: boolean;
  /** Whether the engine may be used with these options; absent: always. */
  isFor?(options: LoadOptions): boolean;
  /**
   * @param model bytes of an ONNX file with one input
   * @throws EngineError ENGINE_UNAVAILABLE if the model cannot be run on this machine
   */
  load(model: Uint8Array, options: LoadOptions): Promise<LoadedModel>;
}
