/** A model file on this machine, with the properties that pipelines need. */
export interface ModelFile {
  readonly name: string;
  /** Absolute path of the ONNX file. */
  readonly path: string;
  /** sha256 of the file, in hex. */
  readonly sha256: string;
  readonly bytes: number;
  readonly licence: string | null;
  /** null if the model is not an upscaler, or a file of the user with an unknown architecture. */
  readonly architecture: ModelArchitecture | null;
  /** Source pixels around a tile that the model needs to avoid visible seams; 0 for models without tiles. */
  readonly overlap: number;
  /** How many times an upscaling model of the manifest enlarges an image along each edge. Absent for other models. */
  readonly scale?: number;
}

/**
 * The two architectures of Real-ESRGAN, a stack of convolutions and residual-in-residual dense blocks; and Real-CUGAN's,
 * two small U-Nets that weigh their channels by the mean of the whole image.
 */
export type ModelArchitecture = 'srvgg' | 'rrdb' | 'cugan';

/** Whether the edges of tiles would show, because each pixel depends on the whole image. */
export function needsWholeFrames({ architecture }: Pick<ModelFile, 'architecture'>): boolean {
  return architecture === 'cugan';
}
