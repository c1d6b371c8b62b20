/** A dense float32 tensor in NCHW order. */
export interface Tensor {
  readonly data: Float32Array;
  /** [batch, channels, height, width] */
  readonly shape: readonly [number, number, number, number];
}

export interface LoadOptions {
  /** Threads inside one operator; 0: as many as there are cores. */
  readonly threads: number;
}

/** A network that is ready to run on some device. */
export interface LoadedNetwork {
  /**
   * Runs the network on one tensor; gives a tensor of its own. The input may be written again when it has settled.
   *
   * @throws EngineError OUT_OF_MEMORY when a smaller input may succeed, else ENGINE_FAILED
   */
  run(input: Tensor): Promise<Tensor>;
  /** Gives its memory back. May be called twice. */
  dispose(): Promise<void>;
}

/** Executes networks on one device. */
export interface Engine {
  /** For the log, such as `onnxruntime on the CPU`. */
  readonly name: string;
  readonly device: 'cpu' | 'gpu';
  /**
   * @param model bytes of an ONNX file with one input and one output
   * @throws EngineError ENGINE_UNAVAILABLE when this machine cannot run it
   */
  load(model: Uint8Array, options: LoadOptions): Promise<LoadedNetwork>;
}
