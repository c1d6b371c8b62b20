/** A neural network's file on this machine, with what the pipelines must know of it. */
export interface ModelFile {
  readonly name: string;
  /** Absolute path of the ONNX file. */
  readonly path: string;
  /** Of the file's bytes, hex. */
  readonly sha256: string;
  readonly bytes: number;
  readonly licence: string | null;
  /** null: no upscaler, or a file of the person's own, of which nothing is known. */
  readonly architecture: ModelArchitecture | null;
  /** Source pixels that a tile needs around it so that no seam shows; 0 where there are no tiles. */
  readonly overlap: number;
}

/** Real-ESRGAN's two families: a plain stack of convolutions, and residual-in-residual dense blocks. */
export type ModelArchitecture = 'srvgg' | 'rrdb';
