/** A dense float32 tensor in NCHW order. */
export interface Tensor {
  readonly data: Float32Array;
  /** [batch, channels, height, width] */
  readonly shape: readonly [number, number, number, number];
}

/** One result of a model. */
export interface ModelOutput {
  /** As the file calls it. */
  readonly name: string;
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

export interface LoadOptions {
  /** Threads inside one operator; 0: as many as there are cores. */
  readonly threads: number;
}

/** A frame of packed RGB for an engine that converts and tiles by itself. */
export interface FrameToUpscale {
  /** Must not be written again before the promise has settled. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** 16-bit components are little-endian. */
  readonly bytesPerComponent: 1 | 2;
  /** Edge of a tile's core in pixels; null: as large as memory allows. */
  readonly tile: number | null;
  /** Pixels around a core that the model needs to see. */
  readonly overlap: number;
}

/** A model that is ready to run on some device. */
export interface LoadedModel {
  /**
   * Runs the model on one tensor; gives tensors of their own in the order of the file. The input may be written
   * again when it has settled. The result of an upscaler is one image (only-image.ts).
   *
   * @throws EngineError OUT_OF_MEMORY when a smaller input may succeed, DEVICE_LOST when nothing will any more,
   *   else ENGINE_FAILED
   */
  run(input: Tensor): Promise<readonly ModelOutput[]>;
  /**
   * A whole frame of packed RGB, upscaled; rejects as `run` does. Where it is absent, the caller converts and tiles.
   * Up to `concurrency` frames may be under way at once.
   */
  upscale?(frame: FrameToUpscale): Promise<Buffer>;
  readonly concurrency?: number;
  /** Images of one shape that `run` takes at once, as the first length of the tensor; absent: one. */
  readonly maxBatch?: number;
  /** Gives its memory back. May be called twice. */
  dispose(): Promise<void>;
}

/** Executes models on one device. */
export interface Engine {
  /** For the log, such as `onnxruntime on the CPU`. */
  readonly name: string;
  readonly device: 'cpu' | 'gpu';
  /**
   * @param model bytes of an ONNX file with one input
   * @throws EngineError ENGINE_UNAVAILABLE when this machine cannot run it
   */
  load(model: Uint8Array, options: LoadOptions): Promise<LoadedModel>;
}
