import type { NetworkFile } from '../domain/networks.ts';

/** A dense float32 tensor in NCHW order. */
export interface Tensor {
  readonly data: Float32Array;
  /** [batch, channels, height, width] */
  readonly shape: readonly [number, number, number, number];
}

export interface EngineLimits {
  /** Bytes that a whole-frame run may use on this device, as far as it can be told now. */
  readonly memoryBytes: number;
  /** Edge of a tile in pixels where whole frames do not fit. */
  readonly preferredTile: number;
  /** Frames a run. */
  readonly preferredBatch: number;
}

export interface LoadOptions {
  /** Threads inside one operator; 0: as many as there are cores. */
  readonly threads: number;
}

/** A network that is ready to run. `run` gives a tensor of its own, or throws EngineError. */
export interface LoadedNetwork {
  run(input: Tensor): Promise<Tensor>;
  dispose(): Promise<void>;
}

/** Executes networks on one device. */
export interface Engine {
  /** Such as `onnxruntime CPU`, for the log. */
  readonly name: string;
  readonly device: 'cpu' | 'gpu';
  readonly limits: EngineLimits;
  load(network: NetworkFile, options: LoadOptions): Promise<LoadedNetwork>;
}
